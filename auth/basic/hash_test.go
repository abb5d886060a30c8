package basicauth_test

import (
	"fmt"
	"strings"
	"testing"

	"golang.org/x/crypto/bcrypt"

	basicauth "github.com/ashlar-go/ashlar/auth/basic"
)

const (
	salt = "c29tZXNhbHRzb21lc2FsdA"
	tag  = "MTIzNDU2Nzg5MDEyMzQ1Ng"
)

func TestWhatAStoredHashMayAskFor(t *testing.T) {
	t.Parallel()
	well := strings.Repeat("a", 53)
	for hash, good := range map[string]bool{
		"$argon2id$v=19$m=19456,t=2,p=1$" + salt + "$" + tag:        true,
		"$argon2id$v=19$m=262144,t=16,p=16$" + salt + "$" + tag:     true,
		"$argon2id$v=19$m=262145,t=2,p=1$" + salt + "$" + tag:       false,
		"$argon2id$v=19$m=4294967296,t=2,p=1$" + salt + "$" + tag:   false,
		"$argon2id$v=19$m=-8,t=2,p=1$" + salt + "$" + tag:           false,
		"$argon2id$v=19$m=019456,t=2,p=1$" + salt + "$" + tag:       false,
		"$argon2id$v=19$m=+19456,t=2,p=1$" + salt + "$" + tag:       false,
		"$argon2id$v=19$m=19456,t=17,p=1$" + salt + "$" + tag:       false,
		"$argon2id$v=19$m=19456,t=0,p=1$" + salt + "$" + tag:        false,
		"$argon2id$v=19$m=19456,t=2,p=0$" + salt + "$" + tag:        false,
		"$argon2id$v=19$m=19456,t=2,p=17$" + salt + "$" + tag:       false,
		"$argon2id$v=19$m=7,t=2,p=1$" + salt + "$" + tag:            false,
		"$argon2id$v=19$t=2,m=19456,p=1$" + salt + "$" + tag:        false,
		"$argon2id$v=19$m=19456,t=2,p=1,x=1$" + salt + "$" + tag:    false,
		"$argon2id$v=19$m=19456,t=2$" + salt + "$" + tag:            false,
		"$argon2id$v=16$m=19456,t=2,p=1$" + salt + "$" + tag:        false,
		"$argon2i$v=19$m=19456,t=2,p=1$" + salt + "$" + tag:         false,
		"$argon2id$v=19$m=19456,t=2,p=1$" + salt + "$":              false,
		"$argon2id$v=19$m=19456,t=2,p=1$" + salt + "$MTIz":          false,
		"$argon2id$v=19$m=19456,t=2,p=1$MTIz$" + tag:                false,
		"$argon2id$v=19$m=19456,t=2,p=1$" + salt + "$" + tag + "==": false,
		"$argon2id$v=19$m=19456,t=2,p=1$" + salt + "\n$" + tag:      false,
		"$argon2id$v=19$m=19456,t=2,p=1$" + salt + "$" + tag + "$":  false,
		"$2a$10$" + well:           true,
		"$2b$15$" + well:           true,
		"$2y$04$" + well:           true,
		"$2a$16$" + well:           false,
		"$2a$03$" + well:           false,
		"$2a$00$" + well:           false,
		"$2a$1a$" + well:           false,
		"$2x$10$" + well:           false,
		"$2a$10$" + well + "a":     false,
		"$2a$10$" + well[1:] + "!": false,
		"":                         false,
		"plain":                    false,
	} {
		if _, err := basicauth.ParametersOf(hash); (err == nil) != good {
			t.Errorf("%s: want good %v, have %v", hash, good, err)
		} else if err != nil && strings.Contains(err.Error(), salt) {
			t.Errorf("%v has the hash in it", err)
		}
	}
}

func TestNewHashesAreOfTheirParameters(t *testing.T) {
	t.Parallel()
	for _, p := range []basicauth.Parameters{quick(), basicauth.Default(), basicauth.Bcrypt(4)} {
		hash, again := must(basicauth.NewHash(password, p)), must(basicauth.NewHash(password, p))
		if have, err := basicauth.ParametersOf(hash); err != nil || have != p || hash == again {
			t.Errorf("want %v with a new salt each time, have %v, %v", p, have, err)
		}
	}
	if err := bcrypt.CompareHashAndPassword([]byte(must(basicauth.NewHash(password, basicauth.Bcrypt(4)))), []byte(password)); err != nil {
		t.Errorf("want what other programs can verify, have %v", err)
	}
	for name, err := range map[string]error{
		"zero":     second(basicauth.NewHash(password, basicauth.Parameters{})),
		"both":     second(basicauth.NewHash(password, basicauth.Parameters{Cost: 10, Memory: 64, Passes: 1, Lanes: 1})),
		"cost":     second(basicauth.NewHash(password, basicauth.Bcrypt(31))),
		"negative": second(basicauth.NewHash(password, basicauth.Bcrypt(-1))),
		"empty":    second(basicauth.NewHash("", quick())),
		"long":     second(basicauth.NewHash(strings.Repeat("x", 73), basicauth.Bcrypt(4))),
		"longer":   second(basicauth.NewHash(strings.Repeat("x", 1025), quick())),
		"NUL":      second(basicauth.NewHash("open\x00", quick())),
	} {
		if err == nil {
			t.Errorf("%s: want an error", name)
		} else if strings.Contains(err.Error(), "open") {
			t.Errorf("%v has the password in it", err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

func TestWhatIsWeakerNeedsRehash(t *testing.T) {
	t.Parallel()
	own := must(basicauth.NewHash(password, quick()))
	blow := must(basicauth.NewHash(password, basicauth.Bcrypt(5)))
	for i, c := range []struct {
		hash string
		want basicauth.Parameters
		need bool
	}{
		{own, quick(), false},
		{own, basicauth.Parameters{Memory: 65, Passes: 1, Lanes: 1}, true},
		{own, basicauth.Parameters{Memory: 64, Passes: 2, Lanes: 1}, true},
		{own, basicauth.Parameters{Memory: 32, Passes: 1, Lanes: 1}, false},
		{own, basicauth.Bcrypt(4), true},
		{blow, basicauth.Bcrypt(5), false},
		{blow, basicauth.Bcrypt(4), false},
		{blow, basicauth.Bcrypt(6), true},
		{blow, quick(), true},
		{"$argon2id$v=19$m=64,t=1,p=1$" + salt + "$" + tag, quick(), true}, // its tag is short
		{"none", quick(), true},
	} {
		if have := basicauth.NeedsRehash(c.hash, c.want); have != c.need {
			t.Errorf("%d: want %v, have %v", i, c.need, have)
		}
	}
	if a, b := fmt.Sprint(basicauth.Default()), fmt.Sprint(basicauth.Bcrypt(12)); a != "argon2id m=19456,t=2,p=1" || b != "bcrypt 12" {
		t.Errorf("have %s, %s", a, b)
	}
}

func FuzzParametersOf(f *testing.F) {
	f.Add("$argon2id$v=19$m=19456,t=2,p=1$" + salt + "$" + tag)
	f.Add("$2a$10$" + strings.Repeat("a", 53))
	f.Fuzz(func(t *testing.T, hash string) {
		p, err := basicauth.ParametersOf(hash)
		if err != nil {
			return
		}
		if p.Memory > basicauth.MaxMemory || p.Passes > basicauth.MaxPasses || p.Lanes > basicauth.MaxLanes || p.Cost > basicauth.MaxCost ||
			(p.Cost == 0) != (p.Memory >= 8 && p.Passes > 0 && p.Lanes > 0) {
			t.Errorf("%q is taken with %v", hash, p)
		}
	})
}
