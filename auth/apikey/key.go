package apikeyauth

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"log/slog"
	"strings"
	"time"

	"github.com/ashlar-go/ashlar/auth"
)

// A key is prefix_id_secret and a checksum, in the manner of GitHub's tokens: the prefix tells scanners of secrets whose it is, the id
// finds its record, and the checksum of the whole tells a key from what only looks so, without a look into the store. It proves nothing.
const (
	idLength       = 12 // of 62 characters: 71 bits
	secretLength   = 43 // 256 bits
	checksumLength = 6  // CRC-32
	maxPrefix      = 32
	alphabet       = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
)

// Hash is the SHA-256 of a whole key, which is what a store has. A key has 256 random bits: nobody can try them all, however quick the
// hash is, so that the slow ones that passwords need would only cost. As text it is hexadecimal.
type Hash [sha256.Size]byte

// MarshalText writes 64 hexadecimal digits.
func (h Hash) MarshalText() ([]byte, error) { return []byte(hex.EncodeToString(h[:])), nil }

// UnmarshalText reads 64 hexadecimal digits.
func (h *Hash) UnmarshalText(text []byte) error {
	if len(text) != hex.EncodedLen(len(h)) {
		return fmt.Errorf("apikeyauth: the hash has %d characters, want %d", len(text), hex.EncodedLen(len(h)))
	}
	if _, err := hex.Decode(h[:], text); err != nil {
		return errors.New("apikeyauth: the hash is not hexadecimal")
	}
	return nil
}

// String shows nothing of the hash.
func (Hash) String() string { return "***" }

// GoString returns the same as String.
func (h Hash) GoString() string { return h.String() }

// LogValue is the same as String, for package slog.
func (h Hash) LogValue() slog.Value { return slog.StringValue(h.String()) }

// Record is what a store has of one key.
type Record struct {
	// ID is the middle part of the key, which is no secret: logs and pages may name keys by it.
	ID string
	// Hash is that of the key.
	Hash Hash
	// Principal is who calls by it. Its Subject is required; its Method is always "apikey".
	Principal auth.Principal
	// NotBefore and Expires are from when until when the key is good. Zero they are no limit.
	NotBefore, Expires time.Time
	// Revoked ends it at once.
	Revoked bool
}

// String returns the ID and the principal.
func (r Record) String() string { return r.ID + " of " + r.Principal.String() }

// GoString returns the same as String.
func (r Record) GoString() string { return r.String() }

// LogValue is the same as String, for package slog.
func (r Record) LogValue() slog.Value { return slog.StringValue(r.String()) }

func check(r *Record, now time.Time) error {
	switch {
	case r.Principal.Subject == "":
		return errors.New("the record has no Subject")
	case r.Revoked:
		return errors.New("the key is revoked")
	case now.Before(r.NotBefore):
		return errors.New("the key is not good yet")
	case !r.Expires.IsZero() && !now.Before(r.Expires):
		return errors.New("the key has expired")
	}
	return nil
}

// Generate makes a key of the prefix, by crypto/rand, for a principal. It is good for life from now on, or for ever where life is 0. The
// key goes to its owner, and the record to the store.
func Generate(prefix string, principal auth.Principal, life time.Duration) (key string, record Record, err error) {
	if err := checkPrefix(prefix); err != nil {
		return "", Record{}, fmt.Errorf("apikeyauth: Generate: %w", err)
	}
	if principal.Subject == "" {
		return "", Record{}, errors.New("apikeyauth: Generate: the Subject of the principal is empty")
	}
	if life < 0 {
		return "", Record{}, fmt.Errorf("apikeyauth: Generate: the life is %v, want 0 or more", life)
	}
	record = Record{ID: random(idLength), Principal: principal}
	key = prefix + "_" + record.ID + "_" + random(secretLength)
	sum := checksum([]byte(key))
	key += string(sum[:])
	record.Hash = sha256.Sum256([]byte(key))
	if life > 0 {
		record.Expires = time.Now().Add(life)
	}
	return key, record, nil
}

// Rotate makes a key that takes the place of an old one, for the same principal, and returns the old record as it is to be stored: it
// expires after overlap, for which both are good. The new one is good for life, as Generate has it. A key that is revoked gets none.
func Rotate(prefix string, old Record, overlap, life time.Duration) (key string, record, expiring Record, err error) {
	if overlap < 0 {
		return "", Record{}, Record{}, fmt.Errorf("apikeyauth: Rotate: the overlap is %v, want 0 or more", overlap)
	}
	if old.Revoked {
		return "", Record{}, Record{}, errors.New("apikeyauth: Rotate: the key is revoked")
	}
	key, record, err = Generate(prefix, old.Principal, life)
	if err != nil {
		return "", Record{}, Record{}, err
	}
	if end := time.Now().Add(overlap); old.Expires.IsZero() || old.Expires.After(end) {
		old.Expires = end
	}
	return key, record, old, nil
}

// random returns characters of the alphabet, each as likely as the others.
func random(n int) string {
	const fair = 256 - 256%len(alphabet)
	text := make([]byte, 0, n)
	var some [64]byte
	for {
		_, _ = rand.Read(some[:]) // which never fails
		for _, b := range some {
			if int(b) >= fair {
				continue
			}
			if text = append(text, alphabet[int(b)%len(alphabet)]); len(text) == n {
				return string(text)
			}
		}
	}
}

func checksum(text []byte) (sum [checksumLength]byte) {
	n := crc32.ChecksumIEEE(text)
	for i := range sum {
		sum[len(sum)-1-i] = alphabet[n%uint32(len(alphabet))]
		n /= uint32(len(alphabet))
	}
	return sum
}

func checkPrefix(prefix string) error {
	ok := prefix != "" && len(prefix) <= maxPrefix && prefix[0] != '_' && prefix[len(prefix)-1] != '_'
	for _, c := range prefix {
		ok = ok && (c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '_')
	}
	if !ok {
		return fmt.Errorf("the prefix is %.40q, want 1 to %d of a to z, 0 to 9 and _, which neither begins nor ends it", prefix, maxPrefix)
	}
	return nil
}

func checkID(id string) error {
	if len(id) != idLength || !only(id) {
		return fmt.Errorf("the id is not %d characters of base 62", idLength)
	}
	return nil
}

func only(text string) bool {
	for i := range len(text) {
		switch c := text[i]; {
		case c >= '0' && c <= '9', c >= 'A' && c <= 'Z', c >= 'a' && c <= 'z':
		default:
			return false
		}
	}
	return true
}

// split returns the id of a key of the prefix, and the SHA-256 of the whole. Nothing of the key is in the error.
func split(key, prefix string) (id string, hash Hash, err error) {
	if !begins(key, prefix) {
		return "", Hash{}, errors.New("the key has another prefix")
	}
	rest := key[len(prefix)+1:]
	if len(rest) != idLength+1+secretLength+checksumLength || rest[idLength] != '_' || !only(rest[:idLength]) || !only(rest[idLength+1:]) {
		return "", Hash{}, errors.New("the key is not of the form of keys")
	}
	text := []byte(key)
	if sum := checksum(text[:len(text)-checksumLength]); string(sum[:]) != string(text[len(text)-checksumLength:]) {
		return "", Hash{}, errors.New("the checksum of the key is wrong")
	}
	return rest[:idLength], sha256.Sum256(text), nil
}

// prefixOf returns what stands before the id of a key, and whether it has the form of one.
func prefixOf(key string) (prefix string, whole bool) {
	end := len(key) - len("__") - idLength - secretLength - checksumLength
	if end < 1 || key[end] != '_' || key[end+1+idLength] != '_' {
		return "", false
	}
	return key[:end], checkPrefix(key[:end]) == nil
}

func begins(key, prefix string) bool {
	return len(key) > len(prefix) && key[:len(prefix)] == prefix && key[len(prefix)] == '_'
}

// NewSource returns the Source of one key, for auth.NewCredentials. An empty header is Authorization: Bearer, and another the whole field.
func NewSource(key, header string) (auth.Source, error) {
	prefix, whole := prefixOf(key)
	if !whole {
		return nil, errors.New("apikeyauth: NewSource: this is no key")
	}
	if _, _, err := split(key, prefix); err != nil {
		return nil, fmt.Errorf("apikeyauth: NewSource: %w", err)
	}
	if header == "" || strings.EqualFold(header, "Authorization") {
		return auth.Bearer(key), nil
	}
	if !isToken(header) {
		return nil, fmt.Errorf("apikeyauth: NewSource: %.40q is no name of a header field", header)
	}
	c := auth.Credential{Header: header, Value: key}
	return auth.SourceFunc(func(context.Context) (auth.Credential, error) { return c, nil }), nil
}

func isToken(name string) bool {
	for i := range len(name) {
		if c := name[i]; c != '-' && !only(name[i:i+1]) {
			return false
		}
	}
	return name != "" && len(name) <= 64
}
