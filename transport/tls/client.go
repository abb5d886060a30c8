package tlsconfig

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/ashlar-go/ashlar/internal/option"
)

// ClientOption sets up a client's configuration. Options of the same name append to each other unless they say otherwise.
type ClientOption func(*clientConfig) error

type clientConfig struct {
	name  string
	peers peers
}

// ClientServerName sets the name, or the IP address, that the certificate of the server has to have. Without it the name is the one that
// is connected to, which does not work for IP addresses; see Client. It replaces an earlier one.
func ClientServerName(name string) ClientOption {
	return func(c *clientConfig) error {
		name = strings.TrimSuffix(strings.TrimPrefix(name, "["), "]")
		if name == "" || net.ParseIP(name) == nil && strings.ContainsAny(name, ":/ []") {
			return fmt.Errorf("ClientServerName(%q): want the name of a host, or an IP address", name)
		}
		c.name = name
		return nil
	}
}

// ClientAllowIDs takes those servers whose certificate has one of these SPIFFE ids, and no others but those of ClientAllowTrustDomains. The
// id stands in for the name of the host, which is not looked at unless there is ClientServerName.
func ClientAllowIDs(ids ...string) ClientOption {
	return func(c *clientConfig) error { return c.peers.addIDs("ClientAllowIDs", ids) }
}

// ClientAllowTrustDomains takes those servers whose certificate has a SPIFFE id of one of these trust domains, as "shop.example", and no
// others but those of ClientAllowIDs. The id stands in for the name of the host, as there.
func ClientAllowTrustDomains(names ...string) ClientOption {
	return func(c *clientConfig) error { return c.peers.addDomains("ClientAllowTrustDomains", names) }
}

// Client returns the configuration of clients which trust the roots of the source, or those of the system where it has none, and show its
// certificate, where it has one, to servers that ask. The configuration is the caller's: ALPN, a cache of sessions and a higher MinVersion
// may be set.
//
// Crypto/tls cannot change the roots of a configuration that is in use. Therefore its own verification is switched off, by
// InsecureSkipVerify, and VerifyConnection does the same with the roots of that time, for sessions that are resumed, too: the chain, with
// the intermediate authorities that the server sent, the time, the use for servers, and the name. Do not replace VerifyConnection; without
// it nobody is verified. VerifiedChains of a connection's state is empty; PeerCertificates is what was verified.
//
// The name is what ClientServerName says, else the ServerName of the connection, which crypto/tls does not tell for IP addresses: a server
// that is connected to by its address is refused, unless there is ClientServerName or an id is asked for.
func Client(source *Source, opts ...ClientOption) (*tls.Config, error) {
	used := source.made()
	if used == nil {
		return nil, errUnmade
	}
	c := &client{source: source}
	if err := option.Set(&c.clientConfig, opts); err != nil {
		return nil, fmt.Errorf("tlsconfig: Client: %w", err)
	}
	if !c.peers.empty() && used.roots == nil {
		return nil, errors.New("tlsconfig: Client: SPIFFE ids are vouched for by roots of their own: want SourceRoots")
	}
	config := &tls.Config{
		MinVersion:         tls.VersionTLS12,
		CipherSuites:       cipherSuites(),
		ServerName:         c.name,
		InsecureSkipVerify: true, //nolint:gosec // VerifyConnection verifies
		VerifyConnection:   c.verify,
	}
	if used.certificate != nil {
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			return source.used.Load().certificate, nil
		}
	}
	return config, nil
}

type client struct {
	clientConfig

	source *Source
}

var errNameless = errors.New("the name of the server is not known, as for one that is connected to by its IP address: " +
	"want ClientServerName, ClientAllowIDs or ClientAllowTrustDomains")

// verify decides whether the server is who it has to be.
func (c *client) verify(state tls.ConnectionState) error {
	certificates := state.PeerCertificates
	if len(certificates) == 0 {
		return errors.New("tlsconfig: the server showed no certificate")
	}
	name := c.name
	if c.peers.empty() && name == "" {
		if name = state.ServerName; name == "" {
			return refused(certificates, errNameless)
		}
	}
	err := verifyChain(certificates, c.source.used.Load().roots, name, x509.ExtKeyUsageServerAuth, time.Now())
	if err == nil {
		err = c.peers.check(certificates[0])
	}
	return refused(certificates, err)
}
