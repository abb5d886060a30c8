// Package mtlsauth knows callers by the certificates that they showed in mutual TLS.
//
//	source, err := tlsconfig.NewSource(tlsconfig.SourceCertificate("tls.crt", "tls.key"), tlsconfig.SourceRoots("ca.crt"))
//	config, err := tlsconfig.Server(source) // which asks for certificates, and verifies them
//	byCertificate, err := mtlsauth.New()
//	httptransport.ServerMiddleware(auth.Middleware(byCertificate))
//
// It is not called as its directory is, as its siblings are not.
package mtlsauth

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ashlar-go/ashlar/auth"
	"github.com/ashlar-go/ashlar/internal/option"
	"github.com/ashlar-go/ashlar/transport"
	tlsconfig "github.com/ashlar-go/ashlar/transport/tls"
)

// Method is the Method of the principals.
const Method = "mtls"

// Authenticator is an auth.Authenticator for calls over connections on which the caller showed a certificate, which the configuration of
// the server has verified. Over HTTP and gRPC it sees the connection; over NATS the certificate ends at the broker, and there are no such
// credentials. The zero value knows SPIFFE ids of any trust domain, as New() does.
type Authenticator struct {
	domains []string
	dns, cn bool
	source  *tlsconfig.Source // nil without Roots
}

// Option configures New.
type Option func(*Authenticator) error

// TrustDomains takes SPIFFE ids of these trust domains only, such as "shop.example". Without it those of any do that the roots of the
// server vouch for: each of its roots vouches for each domain.
func TrustDomains(names ...string) Option {
	return func(a *Authenticator) error {
		if len(names) == 0 {
			return errors.New("TrustDomains of no name")
		}
		for _, name := range names {
			id, err := tlsconfig.ParseSPIFFEID("spiffe://" + name)
			if err == nil && id.TrustDomain() != name {
				err = errors.New("it has a path, as ids have and domains have not")
			}
			if err != nil {
				return fmt.Errorf("TrustDomains(%q): %w", name, err)
			}
		}
		a.domains = append(a.domains, names...)
		return nil
	}
}

// DNSName takes certificates without a SPIFFE id, too, that have exactly one DNS name, which is the Subject then, in lower case. One that
// is no name of a single host, such as one with an asterisk, is bad. TrustDomains says nothing about such names.
func DNSName() Option {
	return func(a *Authenticator) error {
		a.dns = true
		return nil
	}
}

// CommonName takes certificates without a SPIFFE id, too, by the common name of their subject, where they have one and no DNS name that
// DNSName takes. It is for authorities that still name people so. Neither TrustDomains nor the constraints that an authority above puts on
// names (RFC 5280, section 4.2.1.10) hold for it: each authority below the roots can name anybody. A common name that looks like a URI, or
// does not print, is bad.
func CommonName() Option {
	return func(a *Authenticator) error {
		a.cn = true
		return nil
	}
}

// Roots asks at each call whether the roots that the source has by then vouch for the certificate: calls over connections that stand are
// bad as soon as the authority is no longer among them. Without it such connections are as good as when they were made, until the
// certificate, or one of the authorities above it, ends. It is to be the source that the configuration of the server is of, and replaces
// an earlier one.
func Roots(source *tlsconfig.Source) Option {
	return func(a *Authenticator) error {
		status := source.Status()
		if status.Roots == 0 && status.Err == nil {
			status.Err = errors.New("the source has no roots: want tlsconfig.SourceRoots")
		}
		if status.Roots == 0 {
			return fmt.Errorf("Roots: %w", status.Err)
		}
		a.source = source
		return nil
	}
}

// New returns an Authenticator that knows callers by the SPIFFE id of their certificate, and by what the options add. It fails when an
// option is wrong.
func New(opts ...Option) (*Authenticator, error) {
	a := new(Authenticator)
	if err := option.Set(a, opts); err != nil {
		return nil, fmt.Errorf("mtlsauth: New: %w", err)
	}
	return a, nil
}

// Authenticate returns the caller. Subject is the SPIFFE id with its scheme, the DNS name or the common name; Issuer is
// "spiffe://" and the trust domain, or else the distinguished name of the issuer, so that names of different authorities are told apart;
// Expires is when the certificate ends, or the first of the authorities that vouch for it, and Claims is the *x509.Certificate, which is
// not to be changed. The error is auth.ErrNone where there is no certificate. One that was not verified, has ended meanwhile, itself or by
// its authorities, is of none of the Roots, or has none of the names is bad.
func (a *Authenticator) Authenticate(_ context.Context, call *transport.Info) (*auth.Principal, error) {
	if a == nil {
		return nil, errors.New("mtlsauth: the Authenticator is nil")
	}
	if call == nil || call.TLS == nil || len(call.TLS.PeerCertificates) == 0 {
		return nil, auth.ErrNone
	}
	leaf := call.TLS.PeerCertificates[0]
	end := ends(call.TLS.VerifiedChains)
	switch {
	case end.IsZero():
		return nil, errors.New("the configuration of the server has not verified the certificate")
	case time.Now().After(end):
		return nil, fmt.Errorf("the certificate, or an authority above it, has ended at %v", end)
	}
	if a.source != nil {
		if err := a.source.VerifyClient(call.TLS); err != nil {
			return nil, err
		}
	}
	p := &auth.Principal{Issuer: leaf.Issuer.String(), Claims: leaf, Method: Method, Expires: end}
	if err := a.name(leaf, p); err != nil {
		return nil, err
	}
	return p, nil
}

// ends returns when the last of the chains ends, which is when the first certificate in it does; zero without a chain.
func ends(chains [][]*x509.Certificate) (last time.Time) {
	for _, chain := range chains {
		var first time.Time
		for _, c := range chain {
			if first.IsZero() || c.NotAfter.Before(first) {
				first = c.NotAfter
			}
		}
		if first.After(last) {
			last = first
		}
	}
	return last
}

// name sets who the certificate is of.
func (a *Authenticator) name(leaf *x509.Certificate, p *auth.Principal) error {
	id, err := tlsconfig.SPIFFEIDOf(leaf)
	switch {
	case err == nil && a.domains != nil && !slices.Contains(a.domains, id.TrustDomain()):
		return fmt.Errorf("%v is not of a trust domain that is allowed", id)
	case err == nil:
		p.Subject, p.Issuer = id.String(), "spiffe://"+id.TrustDomain()
	case !errors.Is(err, tlsconfig.ErrNoSPIFFEID):
		return err // it has one that is wrong, and no other name makes up for it
	case a.dns && len(leaf.DNSNames) == 1:
		p.Subject, err = dnsName(leaf.DNSNames[0])
		return err
	case a.cn && leaf.Subject.CommonName != "":
		p.Subject, err = commonName(leaf.Subject.CommonName)
		return err
	default:
		return fmt.Errorf("the certificate has none of the names that are asked for: %w", err)
	}
	return nil
}
