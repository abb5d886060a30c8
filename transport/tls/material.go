package tlsconfig

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
	"time"
)

// material is what the files said when they were last taken. It does not change.
type material struct {
	certificate *tls.Certificate // nil without SourceCertificate
	roots       *roots           // nil without SourceRoots
}

type roots struct {
	pool  *x509.CertPool
	all   map[string]bool // those in the pool, in DER
	count int
	first time.Time // when the first of them ends

	files []rootFile
}

// rootFile is a file of roots.
type rootFile struct {
	path string
	last time.Time // when the last of the certificates in it ends
}

// parseCertificate reads the files of SourceCertificate.
func parseCertificate(files []string, contents [][]byte, now time.Time) (*tls.Certificate, error) {
	if err := whole(files[0], contents[0]); err != nil {
		return nil, err
	}
	if err := whole(files[1], contents[1]); err != nil {
		return nil, err
	}
	pair, err := tls.X509KeyPair(contents[0], contents[1])
	if err != nil {
		return nil, fmt.Errorf("%s and %s: %w", files[0], files[1], err)
	}
	switch leaf := pair.Leaf; {
	case now.After(leaf.NotAfter):
		return nil, fmt.Errorf("%s: the certificate of %s has ended at %v", files[0], nameOf(leaf), leaf.NotAfter)
	case now.Before(leaf.NotBefore):
		return nil, fmt.Errorf("%s: the certificate of %s is not valid before %v", files[0], nameOf(leaf), leaf.NotBefore)
	}
	return &pair, nil
}

// parseRoots reads the files of SourceRoots. One in which all have ended keeps nothing of the others from being taken, least of all that an
// authority is not among them any more.
func parseRoots(files []string, contents [][]byte, now time.Time) (*roots, error) {
	r := &roots{pool: x509.NewCertPool(), all: make(map[string]bool)}
	for i, content := range contents {
		if err := whole(files[i], content); err != nil {
			return nil, err
		}
		last, err := r.add(content, now)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", files[i], err)
		}
		r.files = append(r.files, rootFile{path: files[i], last: last})
	}
	if r.count == 0 {
		return nil, fmt.Errorf("%s: there is no certificate that has not ended", strings.Join(files, ", "))
	}
	return r, nil
}

// add adds the certificates in a text, and returns when the last of them ends. Those that have ended are left out, as bundles of many keep
// some.
func (r *roots) add(text []byte, now time.Time) (last time.Time, err error) {
	for {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			return last, nil
		}
		if block.Type != "CERTIFICATE" {
			return last, fmt.Errorf("there is a block %q in it, want certificates only", block.Type)
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return last, err
		}
		if certificate.NotAfter.After(last) {
			last = certificate.NotAfter
		}
		if now.After(certificate.NotAfter) {
			continue
		}
		r.pool.AddCert(certificate)
		r.all[string(certificate.Raw)] = true
		if r.count++; r.first.IsZero() || certificate.NotAfter.Before(r.first) {
			r.first = certificate.NotAfter
		}
	}
}

// whole returns an error for a file which is empty, is no PEM, or holds a block that is not complete, as one that is being written.
func whole(file string, content []byte) error {
	if len(bytes.TrimSpace(content)) == 0 {
		return fmt.Errorf("%s: %w", file, errEmpty)
	}
	begins, blocks := bytes.Count(content, []byte("-----BEGIN ")), 0
	for {
		var block *pem.Block
		if block, content = pem.Decode(content); block == nil {
			break
		}
		blocks++
	}
	switch {
	case begins == 0:
		return fmt.Errorf("%s: %w", file, errNoPEM)
	case blocks != begins:
		return fmt.Errorf("%s: %w: %d of %d blocks", file, errBroken, blocks, begins)
	}
	return nil
}

var (
	errEmpty  = errors.New("the file is empty")
	errNoPEM  = errors.New("there is no PEM in it")
	errBroken = errors.New("the PEM in it is broken, or not complete")
)

// nameOf is a name for people.
func nameOf(certificate *x509.Certificate) string {
	switch c := certificate; {
	case len(c.URIs) > 0:
		return c.URIs[0].String()
	case len(c.Subject.String()) > 0:
		return c.Subject.String()
	case len(c.DNSNames) > 0:
		return c.DNSNames[0]
	}
	return "serial number " + certificate.SerialNumber.String()
}
