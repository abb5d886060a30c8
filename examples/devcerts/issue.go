package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/ashlar-go/ashlar/internal/pki"
)

// authorityValid is how long the authority is.
const authorityValid = 365 * 24 * time.Hour

const (
	private = 0o600 // keys
	public  = 0o644
)

// issue makes the certificates, and the authority where there is none.
func issue(dir string, leaves []leaf, out io.Writer) error {
	if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // keys have modes of their own
		return err
	}
	authority, err := authorityIn(dir, out)
	if err != nil {
		return err
	}
	for _, l := range leaves {
		if l.NotAfter.After(authority.Certificate.NotAfter) {
			l.NotAfter = authority.Certificate.NotAfter
		}
		pair, err := authority.Issue(l.Leaf)
		if err != nil {
			return err
		}
		cert, key := paths(dir, l.name)
		if err := write(pair, cert, key); err != nil {
			return err
		}
		fmt.Fprintf(out, "made  %s, %s: %v %v, until %s\n", cert, key, l.Hosts, l.URIs, date(l.NotAfter))
	}
	return nil
}

// authorityIn returns the authority in the directory. It makes one only where there is no file of one.
func authorityIn(dir string, out io.Writer) (*pki.Authority, error) {
	cert, key := paths(dir, authorityName)
	certPEM, certErr := os.ReadFile(cert) //nolint:gosec // the user says where
	keyPEM, keyErr := os.ReadFile(key)    //nolint:gosec // as above
	if errors.Is(certErr, fs.ErrNotExist) && errors.Is(keyErr, fs.ErrNotExist) {
		authority, err := pki.NewIssuer("Ashlar development authority", authorityValid)
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(out, "made  %s, %s: a new authority, until %s\n", cert, key, date(authority.Certificate.NotAfter))
		return authority, write(authority.Pair, cert, key)
	}
	if err := errors.Join(certErr, keyErr); err != nil {
		return nil, fmt.Errorf("the authority is not complete; remove what is left of it to have a new one: %w", err)
	}
	authority, err := pki.Load(certPEM, keyPEM)
	if err != nil {
		return nil, fmt.Errorf("%s and %s: %w; remove them to have a new authority", cert, key, err)
	}
	if time.Now().After(authority.Certificate.NotAfter) {
		return nil, fmt.Errorf("%s has ended at %s; remove it and %s to have a new authority", cert, date(authority.Certificate.NotAfter), key)
	}
	fmt.Fprintf(out, "found %s, %s: the authority, until %s\n", cert, key, date(authority.Certificate.NotAfter))
	return authority, nil
}

func paths(dir, name string) (cert, key string) {
	return filepath.Join(dir, name+".pem"), filepath.Join(dir, name+"-key.pem")
}

// write replaces both files, each at once, so that nobody reads half of one.
func write(pair *pki.Pair, cert, key string) error {
	text, err := pair.KeyPEM()
	if err != nil {
		return err
	}
	return errors.Join(replace(key, text, private), replace(cert, pair.CertPEM(), public))
}

func replace(path string, text []byte, mode fs.FileMode) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*") // which only the owner may read
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }() // where it could not be renamed
	_, err = f.Write(text)
	err = errors.Join(err, f.Chmod(mode), f.Close())
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

func date(t time.Time) string { return t.Format(time.DateOnly) }
