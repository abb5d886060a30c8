package tlsconfig

import (
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
)

// peers says which SPIFFE ids the other side may have. Empty it asks for none.
type peers struct {
	ids     []SPIFFEID
	domains []string
}

func (p *peers) addIDs(option string, texts []string) error {
	if len(texts) == 0 {
		return fmt.Errorf("%s of no id", option)
	}
	for _, text := range texts {
		id, err := ParseSPIFFEID(text)
		switch {
		case err != nil:
			return fmt.Errorf("%s: %w", option, err)
		case id.path == "":
			return fmt.Errorf("%s: %s is a trust domain, and identifies nobody", option, id)
		}
		p.ids = append(p.ids, id)
	}
	return nil
}

func (p *peers) addDomains(option string, names []string) error {
	if len(names) == 0 {
		return fmt.Errorf("%s of no trust domain", option)
	}
	for _, name := range names {
		if err := checkDomain(name); err != nil {
			return fmt.Errorf("%s: %q: %w", option, name, err)
		}
		p.domains = append(p.domains, name)
	}
	return nil
}

func (p *peers) empty() bool { return len(p.ids) == 0 && len(p.domains) == 0 }

// check returns an error unless the certificate, which is verified, has an id that is allowed.
func (p *peers) check(leaf *x509.Certificate) error {
	if p.empty() {
		return nil
	}
	id, err := SPIFFEIDOf(leaf)
	if err != nil {
		return err
	}
	if !slices.Contains(p.ids, id) && !slices.Contains(p.domains, id.domain) {
		return fmt.Errorf("%w: %s", errNotAllowed, id)
	}
	return nil
}

var errNotAllowed = errors.New("the SPIFFE id of the other side is not allowed")
