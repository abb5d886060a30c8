package tlsconfig

import (
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"strings"
)

const (
	spiffeScheme = "spiffe://"
	maxID        = 2048 // bytes of a SPIFFE id
	maxDomain    = 255  // bytes of a trust domain
)

// ErrNoSPIFFEID is that of a certificate which has no URI at all, and so is no SPIFFE document.
var ErrNoSPIFFEID = errors.New("the certificate has no SPIFFE id")

// SPIFFEID names a workload: "spiffe://shop.example/orders". Ids are equal if they are by ==. The zero value is no id, and its String is
// empty.
type SPIFFEID struct {
	domain, path string
}

// ParseSPIFFEID reads an id by the specification of SPIFFE (https://github.com/spiffe/spiffe/blob/main/standards/SPIFFE-ID.md, section 2):
// at most 2048 bytes, a trust domain of at most 255 lower-case letters, digits, dots, dashes and underscores, and a path, which may be
// missing, of segments of letters, digits, dots, dashes and underscores, none of them empty, "." or "..". There is no port, user, query,
// fragment or escape. What is accepted is what String returns.
func ParseSPIFFEID(text string) (SPIFFEID, error) {
	if len(text) > maxID {
		return SPIFFEID{}, fmt.Errorf("a SPIFFE id of %d bytes: want %d at most", len(text), maxID)
	}
	id, err := parseID(text)
	if err != nil {
		return SPIFFEID{}, fmt.Errorf("SPIFFE id %q: %w", text, err)
	}
	return id, nil
}

func parseID(text string) (SPIFFEID, error) {
	rest, ok := strings.CutPrefix(text, spiffeScheme)
	if !ok {
		return SPIFFEID{}, errors.New("it does not begin with " + spiffeScheme)
	}
	domain, path := rest, ""
	if i := strings.IndexByte(rest, '/'); i >= 0 {
		domain, path = rest[:i], rest[i:]
	}
	if err := checkDomain(domain); err != nil {
		return SPIFFEID{}, err
	}
	if path != "" {
		for segment := range strings.SplitSeq(path[1:], "/") {
			if err := checkSegment(segment); err != nil {
				return SPIFFEID{}, err
			}
		}
	}
	return SPIFFEID{domain: domain, path: path}, nil
}

func checkDomain(domain string) error {
	if domain == "" || len(domain) > maxDomain {
		return fmt.Errorf("a trust domain of %d bytes: want 1 to %d", len(domain), maxDomain)
	}
	for _, c := range []byte(domain) {
		if !isLower(c) && !isPlain(c) {
			return fmt.Errorf("%q in the trust domain: want lower-case letters, digits, dots, dashes and underscores", c)
		}
	}
	return nil
}

func checkSegment(segment string) error {
	if segment == "" || segment == "." || segment == ".." {
		return fmt.Errorf("a segment of the path is %q", segment)
	}
	for _, c := range []byte(segment) {
		if !isLower(c|0x20) && !isPlain(c) {
			return fmt.Errorf("%q in the path: want letters, digits, dots, dashes and underscores", c)
		}
	}
	return nil
}

func isLower(c byte) bool { return 'a' <= c && c <= 'z' }

func isPlain(c byte) bool { return '0' <= c && c <= '9' || c == '.' || c == '-' || c == '_' }

// SPIFFEIDOf returns the id of a certificate that identifies a workload. It does not verify the certificate: do so first. It refuses
// what section 5.2 of the specification does (https://github.com/spiffe/spiffe/blob/main/standards/X509-SVID.md): a certificate with more
// than one URI, one of an authority, one that may sign certificates or lists of revoked ones, and an id without a path. Of one without a
// URI the error is ErrNoSPIFFEID.
func SPIFFEIDOf(certificate *x509.Certificate) (SPIFFEID, error) {
	switch c := certificate; {
	case c == nil:
		return SPIFFEID{}, errors.New("the certificate is nil")
	case len(c.URIs) == 0:
		return SPIFFEID{}, ErrNoSPIFFEID
	case len(c.URIs) > 1:
		return SPIFFEID{}, fmt.Errorf("the certificate has %d URIs, want one", len(c.URIs))
	case c.IsCA, c.KeyUsage&(x509.KeyUsageCertSign|x509.KeyUsageCRLSign) != 0:
		return SPIFFEID{}, errors.New("the certificate is one that signs others, and identifies nobody")
	}
	text, err := uriOf(certificate)
	if err != nil {
		return SPIFFEID{}, err
	}
	id, err := ParseSPIFFEID(text)
	if err == nil && id.path == "" {
		return SPIFFEID{}, fmt.Errorf("%s is a trust domain, and identifies nobody", id)
	}
	return id, err
}

// uriOf returns the URI of a certificate as it stands there: url.URL gives another one back where the scheme has capitals, or nothing
// follows a "#". One that was not parsed has the URL alone.
func uriOf(certificate *x509.Certificate) (string, error) {
	const contextSpecific, uri = 2, 6 // RFC 5280, section 4.2.1.6
	alternativeName := asn1.ObjectIdentifier{2, 5, 29, 17}
	for _, extension := range certificate.Extensions {
		if !extension.Id.Equal(alternativeName) {
			continue
		}
		var names []asn1.RawValue
		if _, err := asn1.Unmarshal(extension.Value, &names); err != nil {
			return "", fmt.Errorf("the names of the certificate: %w", err)
		}
		for _, name := range names {
			if name.Class == contextSpecific && name.Tag == uri {
				return string(name.Bytes), nil
			}
		}
	}
	return certificate.URIs[0].String(), nil
}

// TrustDomain returns the name of who vouches for the id: "shop.example".
func (id SPIFFEID) TrustDomain() string { return id.domain }

// Path returns the name within the trust domain, "/orders"; empty for the domain itself.
func (id SPIFFEID) Path() string { return id.path }

// String returns the id as a URI.
func (id SPIFFEID) String() string {
	if id.domain == "" {
		return ""
	}
	return spiffeScheme + id.domain + id.path
}
