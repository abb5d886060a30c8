package apikeyauth

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/ashlar-go/ashlar/auth"
)

// MaxFile is the most bytes of a file of keys.
const MaxFile = 16 << 20

// Set is the keys of a file, for services that have no other store. Its Find is what New takes. It is safe for concurrent use.
type Set struct {
	path      string
	records   atomic.Pointer[map[string]Record]
	reloading sync.Mutex
}

// Load reads a file such as
//
//	{"keys": [{"id": "4kGcW0yQ1xZb", "hash": "9f86...", "subject": "billing", "scopes": ["orders:read"], "expires": "2027-01-01T00:00:00Z"}]}
//
// with the members id, hash, subject, issuer, scopes, roles, notBefore, expires and revoked, of which the first three are required. Others,
// a member that is there twice or in another case, and an id that is there twice, are refused.
func Load(path string) (*Set, error) {
	s := &Set{path: path}
	if err := s.Reload(); err != nil {
		return nil, err
	}
	return s, nil
}

// Reload reads the file again. Where that fails the keys stay as they were. Call it when the file changes, or now and then.
func (s *Set) Reload() error {
	if s == nil || s.path == "" {
		return errors.New("apikeyauth: the Set was not made by Load")
	}
	s.reloading.Lock() // so that of two the later one reads the later file
	defer s.reloading.Unlock()
	file, err := os.Open(s.path)
	if err != nil {
		return fmt.Errorf("apikeyauth: %w", err)
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, MaxFile+1))
	if err != nil {
		return fmt.Errorf("apikeyauth: %w", err)
	}
	records, err := parse(data)
	if err != nil {
		return fmt.Errorf("apikeyauth: %s: %w", s.path, err)
	}
	s.records.Store(&records)
	return nil
}

// Find returns the record of an id. A Set that was not loaded cannot say.
func (s *Set) Find(_ context.Context, id string) (Record, error) {
	if s == nil || s.records.Load() == nil {
		return Record{}, errors.New("apikeyauth: the Set was not made by Load")
	}
	r, ok := (*s.records.Load())[id]
	if !ok {
		return Record{}, ErrUnknown
	}
	return r, nil
}

type line struct {
	ID        string    `json:"id"`
	Hash      *Hash     `json:"hash"`
	Subject   string    `json:"subject"`
	Issuer    string    `json:"issuer"`
	Scopes    []string  `json:"scopes"`
	Roles     []string  `json:"roles"`
	NotBefore time.Time `json:"notBefore"`
	Expires   time.Time `json:"expires"`
	Revoked   bool      `json:"revoked"`
}

func parse(data []byte) (map[string]Record, error) {
	if len(data) > MaxFile {
		return nil, fmt.Errorf("the file has more than %d bytes", MaxFile)
	}
	var file struct {
		Keys *[]line `json:"keys"`
	}
	if err := json.Unmarshal(data, &file, json.RejectUnknownMembers(true)); err != nil {
		return nil, err
	}
	if file.Keys == nil {
		return nil, errors.New("the member keys is missing")
	}
	records := make(map[string]Record, len(*file.Keys))
	for i, l := range *file.Keys {
		_, twice := records[l.ID]
		err := checkID(l.ID)
		switch {
		case err != nil:
		case twice:
			err = errors.New("the id is there twice")
		case l.Hash == nil:
			err = errors.New("the hash is missing")
		case l.Subject == "":
			err = errors.New("the subject is missing")
		}
		if err != nil {
			return nil, fmt.Errorf("key %d: %w", i+1, err)
		}
		records[l.ID] = Record{
			ID: l.ID, Hash: *l.Hash, NotBefore: l.NotBefore, Expires: l.Expires, Revoked: l.Revoked,
			Principal: auth.Principal{Subject: l.Subject, Issuer: l.Issuer, Scopes: l.Scopes, Roles: l.Roles},
		}
	}
	return records, nil
}
