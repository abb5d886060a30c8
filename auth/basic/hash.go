package basicauth

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/bcrypt"
)

// Limits of what a stored hash may ask for, so that one that somebody has put into a database takes neither gigabytes nor minutes.
const (
	MaxMemory     = 256 << 10 // KiB of Argon2id: 256 MiB
	MaxPasses     = 16        // of Argon2id
	MaxLanes      = 16        // of Argon2id
	MaxCost       = 15        // of bcrypt, some 2 s
	MaxPassword   = 1024      // bytes of a password
	MaxBcrypt     = 72        // bytes of a password that bcrypt looks at; a longer one is refused, and not cut
	minSalt       = 8
	maxSalt       = 64
	minTag        = 16
	maxTag        = 64
	ownSalt       = 16
	ownTag        = 32
	bcryptLength  = 60
	argon2Fields  = 6
	bcryptCostEnd = 6

	bcryptAlphabet = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
)

// Parameters say how a hash is made. The zero value is none, and refused.
type Parameters struct {
	// Memory is the KiB that Argon2id takes, Passes how often it goes over them, Lanes how many of them it can do side by side. All three
	// are 0 for bcrypt.
	Memory, Passes, Lanes int
	// Cost is the binary logarithm of the rounds of bcrypt, 0 for Argon2id.
	Cost int
}

// Default returns what OWASP's Password Storage Cheat Sheet asks for first: Argon2id with 19 MiB of memory, 2 passes and 1 lane.
func Default() Parameters { return Parameters{Memory: 19 << 10, Passes: 2, Lanes: 1} }

// Bcrypt returns the parameters of bcrypt, of which OWASP asks for a cost of 10 at least, for where Argon2id is not to be had.
func Bcrypt(cost int) Parameters { return Parameters{Cost: cost} }

// String returns such as "argon2id m=19456,t=2,p=1", or "bcrypt 12".
func (p Parameters) String() string {
	if p.Cost != 0 {
		return "bcrypt " + strconv.Itoa(p.Cost)
	}
	return fmt.Sprintf("argon2id m=%d,t=%d,p=%d", p.Memory, p.Passes, p.Lanes)
}

func (p Parameters) check() error {
	if p.Cost != 0 {
		if p.Memory != 0 || p.Passes != 0 || p.Lanes != 0 {
			return errors.New("the parameters are of bcrypt and of Argon2id")
		}
		if p.Cost < bcrypt.MinCost || p.Cost > MaxCost {
			return fmt.Errorf("the cost is %d, want %d to %d", p.Cost, bcrypt.MinCost, MaxCost)
		}
		return nil
	}
	switch {
	case p.Lanes < 1 || p.Lanes > MaxLanes:
		return fmt.Errorf("the lanes are %d, want 1 to %d", p.Lanes, MaxLanes)
	case p.Passes < 1 || p.Passes > MaxPasses:
		return fmt.Errorf("the passes are %d, want 1 to %d", p.Passes, MaxPasses)
	case p.Memory < 8*p.Lanes || p.Memory > MaxMemory:
		return fmt.Errorf("the memory is %d KiB, want %d to %d", p.Memory, 8*p.Lanes, MaxMemory)
	}
	return nil
}

// NewHash makes the hash of a password for the store, with a new salt: a string as PHC has them, or bcrypt. It takes as long as
// verifying it will.
func NewHash(password string, p Parameters) (string, error) {
	if err := p.check(); err != nil {
		return "", fmt.Errorf("basicauth: NewHash: %w", err)
	}
	if err := checkPassword(password); err != nil {
		return "", fmt.Errorf("basicauth: NewHash: %w", err)
	}
	if password == "" {
		return "", errors.New("basicauth: NewHash: the password is empty")
	}
	if p.Cost != 0 {
		if len(password) > MaxBcrypt {
			return "", errTooLong
		}
		hash, err := bcrypt.GenerateFromPassword([]byte(password), p.Cost)
		if err != nil {
			return "", errors.New("basicauth: NewHash: bcrypt refuses")
		}
		return string(hash), nil
	}
	salt := make([]byte, ownSalt)
	_, _ = rand.Read(salt) // which never fails
	h := parsed{Parameters: p, salt: salt, tag: make([]byte, ownTag)}
	h.tag = h.argon2(password)
	return h.String(), nil
}

var errTooLong = fmt.Errorf("basicauth: bcrypt looks at %d bytes of a password, and this one is longer", MaxBcrypt)

// NeedsRehash reports whether a stored hash is weaker in any parameter than, or of another kind than, one with the wanted parameters. It
// is true of what is no hash.
func NeedsRehash(hash string, want Parameters) bool {
	h, err := parse(hash)
	if err != nil {
		return true
	}
	return (h.Cost == 0) != (want.Cost == 0) || h.Cost < want.Cost || h.Memory < want.Memory || h.Passes < want.Passes ||
		want.Cost == 0 && (len(h.salt) < ownSalt || len(h.tag) < ownTag)
}

// ParametersOf returns those of a stored hash, and an error where it is none, or asks for more than the limits allow. The hash is not in
// the error.
func ParametersOf(hash string) (Parameters, error) {
	h, err := parse(hash)
	if err != nil {
		return Parameters{}, fmt.Errorf("basicauth: %w", err)
	}
	return h.Parameters, nil
}

// parsed is a stored hash. salt and tag are those of Argon2id; text is that of bcrypt.
type parsed struct {
	Parameters

	salt, tag []byte
	text      string
}

// String writes the hash of Argon2id as the PHC string format has it.
func (h *parsed) String() string {
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, h.Memory, h.Passes, h.Lanes,
		base64.RawStdEncoding.EncodeToString(h.salt), base64.RawStdEncoding.EncodeToString(h.tag))
}

func (h *parsed) argon2(password string) []byte {
	return argon2.IDKey([]byte(password), h.salt, uint32(h.Passes), uint32(h.Memory), uint8(h.Lanes), uint32(len(h.tag)))
}

// verify reports whether the password is that of the hash. It costs the same whatever the password is.
func (h *parsed) verify(password string) bool {
	if h.Cost == 0 {
		return subtle.ConstantTimeCompare(h.argon2(password), h.tag) == 1
	}
	fits := len(password) <= MaxBcrypt
	same := bcrypt.CompareHashAndPassword([]byte(h.text), []byte(password[:min(len(password), MaxBcrypt)])) == nil
	return fits && same
}

// parse reads a stored hash, and nothing that is written in another way than the functions that made it would write it.
func parse(hash string) (*parsed, error) {
	switch {
	case hash == "":
		return nil, errors.New("the stored hash is empty")
	case strings.HasPrefix(hash, "$argon2id$"):
		return parseArgon2(hash)
	case strings.HasPrefix(hash, "$2a$"), strings.HasPrefix(hash, "$2b$"), strings.HasPrefix(hash, "$2y$"):
		return parseBcrypt(hash)
	}
	return nil, errors.New("the stored hash is neither of argon2id nor of bcrypt")
}

func parseBcrypt(hash string) (*parsed, error) {
	if len(hash) != bcryptLength || hash[bcryptCostEnd] != '$' {
		return nil, errors.New("the stored hash of bcrypt is not of its form")
	}
	cost := hash[4:bcryptCostEnd]
	n, err := strconv.Atoi(cost)
	if err != nil || fmt.Sprintf("%02d", n) != cost {
		return nil, errors.New("the stored hash of bcrypt has no cost")
	}
	for _, c := range hash[bcryptCostEnd+1:] {
		if !strings.ContainsRune(bcryptAlphabet, c) {
			return nil, errors.New("the stored hash of bcrypt has a character that it cannot have")
		}
	}
	h := &parsed{Parameters: Parameters{Cost: n}, text: hash}
	if n == 0 {
		return nil, errors.New("the stored hash of bcrypt has the cost 0")
	}
	if err := h.check(); err != nil {
		return nil, fmt.Errorf("the stored hash: %w", err)
	}
	return h, nil
}

func parseArgon2(hash string) (*parsed, error) {
	if len(hash) > 512 {
		return nil, errors.New("the stored hash of argon2id is too long")
	}
	fields := strings.Split(hash, "$")
	if len(fields) != argon2Fields || fields[2] != "v="+strconv.Itoa(argon2.Version) {
		return nil, errors.New("the stored hash of argon2id is not of its form, or its version is not 19")
	}
	h := new(parsed)
	rest := fields[3] + ","
	for _, one := range []struct {
		name string
		to   *int
	}{{"m=", &h.Memory}, {"t=", &h.Passes}, {"p=", &h.Lanes}} {
		text, after, ok := strings.Cut(rest, ",")
		number, named := strings.CutPrefix(text, one.name)
		n, err := strconv.Atoi(number)
		if !ok || !named || err != nil {
			return nil, errors.New("the stored hash of argon2id has other parameters than m, t and p")
		}
		*one.to, rest = n, after
	}
	if rest != "" {
		return nil, errors.New("the stored hash of argon2id has more parameters than m, t and p")
	}
	if err := h.check(); err != nil {
		return nil, fmt.Errorf("the stored hash: %w", err)
	}
	var err, err2 error
	h.salt, err = base64.RawStdEncoding.Strict().DecodeString(fields[4])
	h.tag, err2 = base64.RawStdEncoding.Strict().DecodeString(fields[5])
	if err != nil || err2 != nil || len(h.salt) < minSalt || len(h.salt) > maxSalt || len(h.tag) < minTag || len(h.tag) > maxTag ||
		h.String() != hash {
		return nil, errors.New("the stored hash of argon2id has a bad salt or tag")
	}
	return h, nil
}
