package tlsconfig_test

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/ashlar-go/ashlar/internal/testcert"
	tlsconfig "github.com/ashlar-go/ashlar/transport/tls"
)

func TestSPIFFEIDsAreReadByTheirSpecification(t *testing.T) {
	t.Parallel()
	long := "spiffe://d/" + strings.Repeat("a", 2048-len("spiffe://d/"))
	domain := strings.Repeat("d", 255)
	for text, want := range map[string][2]string{
		"spiffe://dev.local":              {"dev.local", ""},
		"spiffe://dev.local/shop":         {"dev.local", "/shop"},
		"spiffe://a-b_c.1/ns/Prod/sa/x.y": {"a-b_c.1", "/ns/Prod/sa/x.y"},
		"spiffe://d/.../..a/-":            {"d", "/.../..a/-"},
		"spiffe://" + domain + "/x":       {domain, "/x"},
		long:                              {"d", long[len("spiffe://d"):]},
	} {
		id, err := tlsconfig.ParseSPIFFEID(text)
		if have := [2]string{id.TrustDomain(), id.Path()}; err != nil || want != have || id.String() != text {
			t.Errorf("%s: want %q, have %q, %v", text, want, have, err)
		}
	}
	for _, text := range []string{
		"", "spiffe", "spiffe:", "spiffe:/d/x", "spiffe://", "spiffe:///x", "Spiffe://d/x", "http://d/x", " spiffe://d/x", "spiffe://d/x ",
		"spiffe://D/x", "spiffe://d:1/x", "spiffe://u@d/x", "spiffe://d%20/x", "spiffe://ü/x", "spiffe://" + domain + "d/x",
		"spiffe://d/", "spiffe://d/x/", "spiffe://d//x", "spiffe://d/./x", "spiffe://d/..", "spiffe://d/x/../y", "spiffe://d/%78", "spiffe://d/x y",
		"spiffe://d/x?", "spiffe://d/x?q", "spiffe://d/x#f", "spiffe://d?q", "spiffe://d/ä", "spiffe://d/x\x00", "spiffe://d/x:y", "spiffe://d/@", "spiffe://d/[",
		"spiffe://d/`", "spiffe://d/{", long + "a",
	} {
		if id, err := tlsconfig.ParseSPIFFEID(text); err == nil || id != (tlsconfig.SPIFFEID{}) || id.String() != "" {
			t.Errorf("%q: want an error, have %q", text, id)
		}
	}
}

func FuzzSPIFFEID(f *testing.F) {
	for _, text := range []string{"spiffe://dev.local/shop", "spiffe://d", "spiffe://d/..", "spiffe://D/x", "spiffe://d/%41"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		id, err := tlsconfig.ParseSPIFFEID(text)
		if err != nil {
			return
		}
		u, err := url.Parse(text)
		if err != nil || u.Scheme != "spiffe" || u.Host != id.TrustDomain() || u.Path != id.Path() || u.String() != text || id.String() != text ||
			len(text) > 2048 || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
			t.Errorf("want what net/url reads, have %q and %q of %q, %v", id.TrustDomain(), id.Path(), text, err)
		}
	})
}

func TestACertificateHasOneSPIFFEID(t *testing.T) {
	t.Parallel()
	uri := func(texts ...string) (uris []*url.URL) {
		for _, text := range texts {
			u, err := url.Parse(text)
			if err != nil {
				t.Fatal(err)
			}
			uris = append(uris, u)
		}
		return uris
	}
	const good = "spiffe://dev.local/shop"
	id, err := tlsconfig.SPIFFEIDOf(&x509.Certificate{URIs: uri(good), KeyUsage: x509.KeyUsageDigitalSignature})
	if err != nil || id.String() != good {
		t.Errorf("want %s, have %v, %v", good, id, err)
	}
	for name, c := range map[string]*x509.Certificate{
		"nil":            nil,
		"two":            {URIs: uri(good, good)},
		"another, too":   {URIs: uri(good, "https://example.org")},
		"authority":      {URIs: uri(good), IsCA: true},
		"signs":          {URIs: uri(good), KeyUsage: x509.KeyUsageCertSign},
		"signs lists":    {URIs: uri(good), KeyUsage: x509.KeyUsageCRLSign},
		"trust domain":   {URIs: uri("spiffe://dev.local")},
		"another scheme": {URIs: uri("https://dev.local/shop")},
		"escapes":        {URIs: uri("spiffe://dev.local/%2e%2e/shop")},
	} {
		if id, err := tlsconfig.SPIFFEIDOf(c); err == nil || errors.Is(err, tlsconfig.ErrNoSPIFFEID) || id != (tlsconfig.SPIFFEID{}) {
			t.Errorf("%s: want it to be refused, have %v, %v", name, id, err)
		}
	}
	if _, err := tlsconfig.SPIFFEIDOf(new(x509.Certificate)); !errors.Is(err, tlsconfig.ErrNoSPIFFEID) {
		t.Errorf("want ErrNoSPIFFEID, have %v", err)
	}
}

// Net/url reads more than the specification takes, and forgets what it read.
func TestTheSPIFFEIDIsWhatStandsInTheCertificate(t *testing.T) {
	t.Parallel()
	root := testcert.New(t, "root")
	const good = "spiffe://dev.local/shop"
	for _, text := range []string{
		good, "SPIFFE://dev.local/shop", "Spiffe://dev.local/shop", good + "#", good + "?", "spiffe://@dev.local/shop", "spiffe://dev.local:/shop", "spiffe://dev.local/sho%70",
	} {
		dns := asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 2, Bytes: []byte("shop.example")}
		names, err := asn1.Marshal([]asn1.RawValue{dns, {Class: asn1.ClassContextSpecific, Tag: 6, Bytes: []byte(text)}})
		if err != nil {
			t.Fatal(err)
		}
		c := root.Issue(t, testcert.Leaf{Change: func(c *x509.Certificate) {
			c.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 17}, Value: names}}
		}}).Certificate
		if id, err := tlsconfig.SPIFFEIDOf(c); (err == nil) != (text == good) || err == nil && id.String() != good {
			t.Errorf("%s: want %s alone to be an id, have %q, %v", text, good, id, err)
		}
	}
}
