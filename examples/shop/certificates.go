package main

import (
	"crypto/tls"
	"errors"
	"os"
	"path/filepath"
	"time"

	"github.com/ashlar-go/ashlar/internal/pki"
	tlsconfig "github.com/ashlar-go/ashlar/transport/tls"
)

// The services that have a certificate with -tls, and the operator, who looks into them with programs of his own.
const (
	storefrontID = "storefront"
	ordersID     = "orders"
	catalogID    = "catalog"
	paymentsID   = "payments"
	brokerID     = "broker"
	operatorID   = "operator"
)

const certificatesValid = 30 * 24 * time.Hour

// certificates are those of the services, in files that may be replaced while the shop runs. A nil one is a shop without TLS.
type certificates struct {
	dir     string
	sources map[string]*tlsconfig.Source
}

// newCertificates makes an authority, and certificates that it signs, in a directory that close removes. The key of the authority is
// forgotten: in production a service such as SPIRE or cert-manager renews the files.
func newCertificates() (_ *certificates, err error) {
	c := &certificates{sources: make(map[string]*tlsconfig.Source)}
	defer func() {
		if err != nil {
			err = errors.Join(err, c.close())
		}
	}()
	if c.dir, err = os.MkdirTemp("", "shop-certificates-"); err != nil {
		return nil, err
	}
	authority, err := pki.NewIssuer("shop", certificatesValid)
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(c.path("ca"), authority.CertPEM(), 0o600); err != nil {
		return nil, err
	}
	for _, name := range []string{storefrontID, ordersID, catalogID, paymentsID, brokerID, operatorID} {
		if err := c.issue(authority, name); err != nil {
			return nil, err
		}
	}
	return c, nil
}

func (c *certificates) path(name string) string { return filepath.Join(c.dir, name+".pem") }

// issue makes the certificate of one service, and opens it.
func (c *certificates) issue(authority *pki.Authority, name string) error {
	pair, err := authority.Issue(pki.Leaf{
		Name: name, Hosts: []string{"localhost", "127.0.0.1"}, URIs: []string{spiffeID(name)}, NotAfter: authority.Certificate.NotAfter,
	})
	if err != nil {
		return err
	}
	key, err := pair.KeyPEM()
	if err != nil {
		return err
	}
	err = errors.Join(os.WriteFile(c.path(name), pair.CertPEM(), 0o600), os.WriteFile(c.path(name+"-key"), key, 0o600))
	if err != nil {
		return err
	}
	c.sources[name], err = tlsconfig.NewSource(
		tlsconfig.SourceCertificate(c.path(name), c.path(name+"-key")), tlsconfig.SourceRoots(c.path("ca")))
	return err
}

func spiffeID(name string) string { return "spiffe://shop.example/" + name }

func spiffeIDs(names []string) []string {
	ids := make([]string, len(names))
	for i, name := range names {
		ids[i] = spiffeID(name)
	}
	return ids
}

// open returns the configuration of a service that anybody may call, without a certificate; nil without TLS.
func (c *certificates) open(name string) (*tls.Config, error) {
	if c == nil {
		return nil, nil //nolint:nilnil // as said above
	}
	return tlsconfig.Server(c.sources[name], tlsconfig.ServerAnonymousClients())
}

// server returns the configuration of a service that these others may call; nil without TLS.
func (c *certificates) server(name string, callers ...string) (*tls.Config, error) {
	if c == nil {
		return nil, nil //nolint:nilnil // as said above
	}
	return tlsconfig.Server(c.sources[name], tlsconfig.ServerAllowIDs(spiffeIDs(callers)...))
}

// client returns the configuration by which a service calls another, nil without TLS.
func (c *certificates) client(name, callee string) (*tls.Config, error) {
	if c == nil {
		return nil, nil //nolint:nilnil // as said above
	}
	return tlsconfig.Client(c.sources[name], tlsconfig.ClientAllowIDs(spiffeID(callee)))
}

func (c *certificates) close() error {
	if c == nil {
		return nil
	}
	var errs []error
	for _, source := range c.sources {
		errs = append(errs, source.Close())
	}
	if c.dir != "" {
		errs = append(errs, os.RemoveAll(c.dir))
	}
	return errors.Join(errs...)
}
