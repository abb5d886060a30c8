// Package testcert makes certificate authorities and certificates for tests, in memory and in files. What goes wrong ends the test.
//
//	authority := testcert.New(t, "root")
//	server := authority.Issue(t, testcert.Leaf{Hosts: []string{"127.0.0.1"}})
//	config := &tls.Config{Certificates: []tls.Certificate{server.TLS()}, ClientCAs: authority.Pool(), ...}
//	certFile, keyFile := server.Write(t, t.TempDir(), "server")
package testcert

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/ashlar-go/ashlar/internal/pki"
)

// valid is how long authorities are.
const valid = 48 * time.Hour

// Leaf says what stands in a certificate: its Name, Hosts, URIs, Usages, NotBefore, NotAfter, and what Change makes of the template. By
// default it is for servers and clients, and valid for a day.
type Leaf = pki.Leaf

// Authority signs certificates. Besides the methods here it has Certificate, TLS, CertPEM and Pool.
type Authority struct {
	*pki.Authority
}

// New returns an authority that signed itself.
func New(t testing.TB, name string) *Authority {
	t.Helper()
	a, err := pki.New(name, valid)
	if err != nil {
		t.Fatal(err)
	}
	return &Authority{Authority: a}
}

// Intermediate returns an authority that this one signed. What it issues comes with its certificate.
func (a *Authority) Intermediate(t testing.TB, name string) *Authority {
	t.Helper()
	below, err := a.Authority.Intermediate(name, valid)
	if err != nil {
		t.Fatal(err)
	}
	return &Authority{Authority: below}
}

// Issue signs a certificate.
func (a *Authority) Issue(t testing.TB, l Leaf) *Pair {
	t.Helper()
	p, err := a.Authority.Issue(l)
	if err != nil {
		t.Fatal(err)
	}
	return &Pair{Pair: p}
}

// Expired signs a certificate that ended an hour ago.
func (a *Authority) Expired(t testing.TB, l Leaf) *Pair {
	t.Helper()
	l.NotBefore, l.NotAfter = time.Now().Add(-2*time.Hour), time.Now().Add(-time.Hour)
	return a.Issue(t, l)
}

// Write writes the certificate of the authority, without its key, to name.pem below dir, and returns that path.
func (a *Authority) Write(t testing.TB, dir, name string) (file string) {
	t.Helper()
	return write(t, filepath.Join(dir, name+".pem"), a.CertPEM())
}

// Pair is a certificate with its key. Besides the methods here it has Certificate, TLS, CertPEM and Key.
type Pair struct {
	*pki.Pair
}

// KeyPEM returns the private key as PKCS #8.
func (p *Pair) KeyPEM(t testing.TB) []byte {
	t.Helper()
	text, err := p.Pair.KeyPEM()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// Write writes the certificate, with its chain, to name.pem below dir, and the key to name-key.pem, and returns those paths.
func (p *Pair) Write(t testing.TB, dir, name string) (certFile, keyFile string) {
	t.Helper()
	return write(t, filepath.Join(dir, name+".pem"), p.CertPEM()), write(t, filepath.Join(dir, name+"-key.pem"), p.KeyPEM(t))
}

func write(t testing.TB, path string, text []byte) string {
	t.Helper()
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
