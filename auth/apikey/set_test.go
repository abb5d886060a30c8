package apikeyauth_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ashlar-go/ashlar/auth"
	apikeyauth "github.com/ashlar-go/ashlar/auth/apikey"
)

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestAFileOfKeysIsReloaded(t *testing.T) {
	t.Parallel()
	key, r, err := apikeyauth.Generate("shop", auth.Principal{Subject: "billing"}, 0)
	if err != nil {
		t.Fatal(err)
	}
	hash := string(must(r.Hash.MarshalText()))
	path := filepath.Join(t.TempDir(), "keys.json")
	good := `{"keys": [{"id": "` + r.ID + `", "hash": "` + hash + `", "subject": "billing", "issuer": "shop", "scopes": ["a"], "roles": ["b"], "expires": "2999-01-01T00:00:00Z", "notBefore": "2020-01-01T00:00:00Z", "revoked": false}]}`
	write(t, path, good)
	set := must(apikeyauth.Load(path))
	a := must(apikeyauth.New("shop", set.Find))
	p, err := a.Verify(t.Context(), key)
	if err != nil || p.Subject != "billing" || p.Issuer != "shop" || !p.HasScope("a") || !p.HasRole("b") || p.Expires.Year() != 2999 {
		t.Errorf("have %+v, %v", p, err)
	}
	for name, bad := range map[string]string{
		"empty": "", "null": "null", "array": "[]", "no keys": "{}", "keys of null": `{"keys": null}`, "half": good[:len(good)-2],
		"more":         good + "{}",
		"unknown":      strings.Replace(good, `"issuer"`, `"isuer"`, 1),
		"another case": strings.Replace(good, `"revoked": false`, `"Revoked": true`, 1),
		"twice":        strings.Replace(good, `"revoked": false`, `"revoked": true, "revoked": false`, 1),
		"same id":      `{"keys": [` + entry(good) + "," + entry(good) + "]}",
		"no subject":   strings.Replace(good, `"subject": "billing", `, "", 1),
		"no hash":      strings.Replace(good, `"hash": "`+hash+`", `, "", 1),
		"short hash":   strings.Replace(good, hash, hash[2:], 1),
		"bad hash":     strings.Replace(good, hash, "zz"+hash[2:], 1),
		"bad id":       strings.Replace(good, r.ID, r.ID[1:]+"_", 1),
		"key":          strings.Replace(good, r.ID, key, 1),
		"bad time":     strings.Replace(good, "2999-01-01", "2999-13-01", 1),
		"huge":         good + strings.Repeat(" ", apikeyauth.MaxFile),
	} {
		write(t, path, bad)
		if err := set.Reload(); err == nil {
			t.Errorf("%s: want an error", name)
		} else if strings.Contains(err.Error(), key[20:]) {
			t.Errorf("%s: %v has the key in it", name, err)
		}
		if _, err := apikeyauth.Load(path); err == nil {
			t.Errorf("%s: want an error", name)
		}
	}
	if _, err := a.Verify(t.Context(), key); err != nil {
		t.Errorf("want the old keys, have %v", err)
	}
	write(t, path, strings.Replace(good, "false", "true", 1))
	if err := set.Reload(); err != nil {
		t.Error(err)
	}
	if _, err := a.Verify(t.Context(), key); err == nil {
		t.Error("want it revoked")
	}
	write(t, path, `{"keys": []}`)
	if err := set.Reload(); err != nil {
		t.Error(err)
	}
	if _, err := a.Verify(t.Context(), key); !errors.Is(err, apikeyauth.ErrUnknown) {
		t.Errorf("want it unknown, have %v", err)
	}
	if err := os.Remove(path); err != nil || set.Reload() == nil {
		t.Error("want an error without a file", err)
	}
	for _, zero := range []*apikeyauth.Set{nil, {}} {
		if _, err := zero.Find(t.Context(), r.ID); err == nil || errors.Is(err, apikeyauth.ErrUnknown) || zero.Reload() == nil {
			t.Errorf("want it refused, have %v", err)
		}
	}
}

func entry(file string) string {
	return strings.TrimSuffix(strings.TrimPrefix(file, `{"keys": [`), "]}")
}
