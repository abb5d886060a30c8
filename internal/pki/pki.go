// Package pki makes certificate authorities and certificates for development and tests: ECDSA P-256, as PEM. It is no authority to trust
// in production: keys lie in memory and files, and nothing is revoked.
package pki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/url"
	"time"
)

// skew is how long ago certificates begin, for machines whose clocks differ.
const skew = 5 * time.Minute

// Pair is a certificate with its private key. It does not change.
type Pair struct {
	// Certificate is the parsed certificate.
	Certificate *x509.Certificate

	key   crypto.Signer
	chain [][]byte // its own first, then those of intermediate authorities
}

// newPair signs the template by the authority, or by itself where that is nil.
func newPair(template *x509.Certificate, authority *Authority) (*Pair, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	if template.SerialNumber, err = rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 126)); err != nil {
		return nil, err
	}
	template.SerialNumber.Add(template.SerialNumber, big.NewInt(1)) // which is positive
	parent, signer := template, crypto.Signer(key)
	if authority != nil {
		parent, signer = authority.Certificate, authority.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		return nil, err
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	p := &Pair{Certificate: leaf, key: key, chain: [][]byte{der}}
	if authority != nil && !authority.isRoot() {
		p.chain = append(p.chain, authority.chain...)
	}
	return p, nil
}

// CertPEM returns the certificate, followed by those of the intermediate authorities that signed it.
func (p *Pair) CertPEM() []byte {
	var text []byte
	for _, der := range p.chain {
		text = append(text, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	}
	return text
}

// KeyPEM returns the private key as PKCS #8.
func (p *Pair) KeyPEM() ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(p.key)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}

// TLS returns what a tls.Config takes.
func (p *Pair) TLS() tls.Certificate {
	return tls.Certificate{Certificate: p.chain, PrivateKey: p.key, Leaf: p.Certificate}
}

// Key returns the private key.
func (p *Pair) Key() crypto.Signer { return p.key }

// Authority signs certificates. It is safe for concurrent use.
type Authority struct {
	*Pair
}

// New returns an authority that signed itself, valid from now for as long as given.
func New(name string, valid time.Duration) (*Authority, error) {
	pair, err := newPair(authorityTemplate(name, valid), nil)
	if err != nil {
		return nil, fmt.Errorf("pki: authority %q: %w", name, err)
	}
	return &Authority{Pair: pair}, nil
}

// NewIssuer returns an authority as New does, that vouches for certificates, and for no further authorities.
func NewIssuer(name string, valid time.Duration) (*Authority, error) {
	template := authorityTemplate(name, valid)
	template.MaxPathLenZero = true
	pair, err := newPair(template, nil)
	if err != nil {
		return nil, fmt.Errorf("pki: authority %q: %w", name, err)
	}
	return &Authority{Pair: pair}, nil
}

// Load returns the authority of a certificate and its key, as CertPEM and KeyPEM gave them.
func Load(certPEM, keyPEM []byte) (*Authority, error) {
	pair, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		return nil, fmt.Errorf("pki: %w", err)
	}
	key, ok := pair.PrivateKey.(crypto.Signer)
	if !ok || !pair.Leaf.IsCA || !pair.Leaf.BasicConstraintsValid {
		return nil, errors.New("pki: the certificate is not that of an authority")
	}
	return &Authority{Pair: &Pair{Certificate: pair.Leaf, key: key, chain: pair.Certificate}}, nil
}

// Intermediate returns an authority that this one signed, whose certificates come with its own. One of NewIssuer
// signs none, since nobody would take it.
func (a *Authority) Intermediate(name string, valid time.Duration) (*Authority, error) {
	if a.Certificate.MaxPathLenZero {
		return nil, fmt.Errorf("pki: authority %q: the one above it vouches for no authorities", name)
	}
	pair, err := newPair(authorityTemplate(name, valid), a)
	if err != nil {
		return nil, fmt.Errorf("pki: authority %q: %w", name, err)
	}
	return &Authority{Pair: pair}, nil
}

// Pool returns a pool with the authority alone.
func (a *Authority) Pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.Certificate)
	return pool
}

func (a *Authority) isRoot() bool { return a.Certificate.CheckSignatureFrom(a.Certificate) == nil }

func authorityTemplate(name string, valid time.Duration) *x509.Certificate {
	now := time.Now()
	return &x509.Certificate{
		Subject:   pkix.Name{CommonName: name},
		NotBefore: now.Add(-skew), NotAfter: now.Add(valid),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
}

// Leaf says what stands in a certificate. The zero value of a field is its default.
type Leaf struct {
	// Name is the common name.
	Name string
	// Hosts are names and IP addresses of servers.
	Hosts []string
	// URIs are further names, such as a SPIFFE id.
	URIs []string
	// Usages are what it is for; by default servers and clients.
	Usages []x509.ExtKeyUsage
	// NotBefore and NotAfter are when it is valid; by default from five minutes ago, for a day.
	NotBefore, NotAfter time.Time
	// Change is called with the template before it is signed, for what the other fields cannot say; nil by default.
	Change func(template *x509.Certificate)
}

// Issue signs a certificate.
func (a *Authority) Issue(l Leaf) (*Pair, error) {
	template, err := l.template()
	if err != nil {
		return nil, fmt.Errorf("pki: certificate %q: %w", l.Name, err)
	}
	pair, err := newPair(template, a)
	if err != nil {
		return nil, fmt.Errorf("pki: certificate %q: %w", l.Name, err)
	}
	return pair, nil
}

func (l *Leaf) template() (*x509.Certificate, error) {
	const valid = 24 * time.Hour
	t := &x509.Certificate{
		Subject:   pkix.Name{CommonName: l.Name},
		NotBefore: l.NotBefore, NotAfter: l.NotAfter,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: l.Usages, BasicConstraintsValid: true,
	}
	if l.Usages == nil {
		t.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	}
	if t.NotBefore.IsZero() {
		t.NotBefore = time.Now().Add(-skew)
	}
	if t.NotAfter.IsZero() {
		t.NotAfter = time.Now().Add(valid)
	}
	for _, host := range l.Hosts {
		if ip := net.ParseIP(host); ip != nil {
			t.IPAddresses = append(t.IPAddresses, ip)
		} else {
			t.DNSNames = append(t.DNSNames, host)
		}
	}
	for _, text := range l.URIs {
		uri, err := url.Parse(text)
		if err != nil {
			return nil, err
		}
		t.URIs = append(t.URIs, uri)
	}
	if l.Change != nil {
		l.Change(t)
	}
	return t, nil
}
