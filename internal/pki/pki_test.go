package pki_test

import (
	"crypto/tls"
	"crypto/x509"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ashlar-go/ashlar/internal/pki"
)

func authority(t *testing.T) *pki.Authority {
	t.Helper()
	a, err := pki.New("root", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// verify checks a chain as the other side of a connection does.
func verify(p *pki.Pair, roots *x509.CertPool, host string, usage x509.ExtKeyUsage) error {
	others := x509.NewCertPool()
	for _, der := range p.TLS().Certificate[1:] {
		c, err := x509.ParseCertificate(der)
		if err != nil {
			return err
		}
		others.AddCert(c)
	}
	_, err := p.Certificate.Verify(x509.VerifyOptions{Roots: roots, Intermediates: others, DNSName: host, KeyUsages: []x509.ExtKeyUsage{usage}})
	return err
}

func TestACertificateIsWhatWasAskedFor(t *testing.T) {
	t.Parallel()
	root := authority(t)
	middle, err := root.Intermediate("middle", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range []*pki.Authority{root, middle} {
		p, err := a.Issue(pki.Leaf{Name: "shop", Hosts: []string{"localhost", "127.0.0.1", "::1"}, URIs: []string{"spiffe://dev.local/shop"}})
		if err != nil {
			t.Fatal(err)
		}
		for _, usage := range []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth} {
			for _, host := range []string{"localhost", "127.0.0.1", "::1"} {
				if err := verify(p, root.Pool(), host, usage); err != nil {
					t.Errorf("%s, signed by %s: %v", host, a.Certificate.Subject, err)
				}
			}
		}
		if err := verify(p, root.Pool(), "example.org", x509.ExtKeyUsageServerAuth); err == nil {
			t.Error("want another name to be refused")
		}
		if want, have := "spiffe://dev.local/shop", p.Certificate.URIs; len(have) != 1 || have[0].String() != want {
			t.Errorf("want %s, have %v", want, have)
		}
		key, err := p.KeyPEM()
		if err != nil {
			t.Fatal(err)
		}
		pair, err := tls.X509KeyPair(p.CertPEM(), key)
		if err != nil || !slices.EqualFunc(pair.Certificate, p.TLS().Certificate, slices.Equal) {
			t.Errorf("want the same chain from its PEM, have an other, %v", err)
		}
	}
}

func TestTheFieldsOfALeafAreHeeded(t *testing.T) {
	t.Parallel()
	root := authority(t)
	now := time.Now().Truncate(time.Second)
	for name, l := range map[string]pki.Leaf{
		"expired":       {NotBefore: now.Add(-2 * time.Hour), NotAfter: now.Add(-time.Hour)},
		"not yet valid": {NotBefore: now.Add(time.Hour)},
		"wrong usage":   {Usages: []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning}},
		"changed":       {Change: func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} }},
	} {
		p, err := root.Issue(l)
		if err != nil {
			t.Fatal(err)
		}
		if err := verify(p, root.Pool(), "", x509.ExtKeyUsageClientAuth); err == nil {
			t.Errorf("%s: want it to be refused", name)
		}
	}
	if _, err := root.Issue(pki.Leaf{URIs: []string{":"}}); err == nil {
		t.Error("want an error for what is no URI")
	}
}

func TestAnAuthorityIsLoadedAgain(t *testing.T) {
	t.Parallel()
	root := authority(t)
	key, err := root.KeyPEM()
	if err != nil {
		t.Fatal(err)
	}
	again, err := pki.Load(root.CertPEM(), key)
	if err != nil {
		t.Fatal(err)
	}
	p, err := again.Issue(pki.Leaf{Name: "x"})
	if err != nil {
		t.Fatal(err)
	}
	if err := verify(p, root.Pool(), "", x509.ExtKeyUsageClientAuth); err != nil {
		t.Error(err)
	}
	leafKey, err := p.KeyPEM()
	if err != nil {
		t.Fatal(err)
	}
	for name, pair := range map[string][2][]byte{
		"nothing": {}, "another key": {root.CertPEM(), leafKey}, "no authority": {p.CertPEM(), leafKey},
	} {
		if _, err := pki.Load(pair[0], pair[1]); err == nil {
			t.Errorf("%s: want an error", name)
		}
	}
}

func TestAnIssuerVouchesForNoAuthority(t *testing.T) {
	t.Parallel()
	issuer, err := pki.NewIssuer("issuer", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if below, err := issuer.Intermediate("below", time.Hour); below != nil || err == nil || !strings.Contains(err.Error(), "no authorities") {
		t.Errorf("want no authority below it, have %v, %v", below, err)
	}
	template := func(c *x509.Certificate) { c.IsCA, c.KeyUsage = true, x509.KeyUsageCertSign }
	sly, err := issuer.Issue(pki.Leaf{Name: "sly", Change: template})
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := (&pki.Authority{Pair: sly}).Issue(pki.Leaf{Name: "leaf"})
	if err != nil {
		t.Fatal(err)
	}
	between := x509.NewCertPool()
	between.AddCert(sly.Certificate)
	usages := []x509.ExtKeyUsage{x509.ExtKeyUsageAny}
	if _, err := leaf.Certificate.Verify(x509.VerifyOptions{Roots: issuer.Pool(), Intermediates: between, KeyUsages: usages}); err == nil {
		t.Error("want what an authority below it signed to be refused")
	}
	direct, err := issuer.Issue(pki.Leaf{Name: "direct"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := direct.Certificate.Verify(x509.VerifyOptions{Roots: issuer.Pool(), KeyUsages: usages}); err != nil {
		t.Error(err)
	}
}
