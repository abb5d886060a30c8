package tlsconfig

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/ashlar-go/ashlar/internal/option"
)

// ServerOption sets up a server's configuration. Options of the same name append to each other unless they say otherwise.
type ServerOption func(*serverConfig) error

type serverConfig struct {
	clientAuth tls.ClientAuthType
	chosen     bool // whether an option said so
	peers      peers
	protocols  []string
	minVersion uint16
}

// ServerOptionalClients lets clients in that show no certificate; one that they show has to be good. Who is to be told apart from whom is
// then for the server to decide, by transport.Info.TLS or package auth/mtls.
func ServerOptionalClients() ServerOption {
	return func(c *serverConfig) error { return c.choose("ServerOptionalClients", tls.VerifyClientCertIfGiven) }
}

// ServerAnonymousClients asks clients for no certificate, though there are roots, which are then for the clients of the same source.
func ServerAnonymousClients() ServerOption {
	return func(c *serverConfig) error { return c.choose("ServerAnonymousClients", tls.NoClientCert) }
}

func (c *serverConfig) choose(name string, auth tls.ClientAuthType) error {
	if c.chosen && c.clientAuth != auth {
		return fmt.Errorf("%s: ServerOptionalClients and ServerAnonymousClients exclude each other", name)
	}
	c.clientAuth, c.chosen = auth, true
	return nil
}

// ServerAllowIDs lets in those clients whose certificate has one of these SPIFFE ids, and no others but those of ServerAllowTrustDomains.
func ServerAllowIDs(ids ...string) ServerOption {
	return func(c *serverConfig) error { return c.peers.addIDs("ServerAllowIDs", ids) }
}

// ServerAllowTrustDomains lets in those clients whose certificate has a SPIFFE id of one of these trust domains, as "shop.example", and no
// others but those of ServerAllowIDs. The roots are to be those of the domains: each root vouches for each of them.
func ServerAllowTrustDomains(names ...string) ServerOption {
	return func(c *serverConfig) error { return c.peers.addDomains("ServerAllowTrustDomains", names) }
}

// ServerProtocols sets what ALPN (RFC 7301) may agree on, the preferred first; with none of them the server says nothing about it. The
// default is "h2" and "http/1.1", which is right for HTTP and for gRPC. It replaces an earlier one.
func ServerProtocols(names ...string) ServerOption {
	return func(c *serverConfig) error {
		if slices.ContainsFunc(names, func(name string) bool { return name == "" || len(name) > 255 }) {
			return fmt.Errorf("ServerProtocols(%q): want names of 1 to 255 bytes", names)
		}
		c.protocols = slices.Clone(names)
		return nil
	}
}

// ServerMinVersion sets the least version of TLS: tls.VersionTLS12, which is the default, or tls.VersionTLS13. It replaces an earlier one.
func ServerMinVersion(version uint16) ServerOption {
	return func(c *serverConfig) error {
		if version != tls.VersionTLS12 && version != tls.VersionTLS13 {
			return fmt.Errorf("ServerMinVersion(%s): want TLS 1.2 or TLS 1.3", tls.VersionName(version))
		}
		c.minVersion = version
		return nil
	}
}

// Server returns the configuration of servers whose certificate is that of the source, which must have one. With roots in the source it
// is mutual TLS: each client has to show a certificate for clients that they vouch for, unless there is ServerOptionalClients or
// ServerAnonymousClients. It fails when an option is wrong, and when one of them needs roots and there are none.
//
// What a handshake is done with comes from GetConfigForClient, and so follows the files: a change of other fields of the configuration has
// no effect, except on the keys of session tickets. A session that is resumed is verified again, by the roots of that time. Connections
// that stand are left alone, whatever becomes of the files.
func Server(source *Source, opts ...ServerOption) (*tls.Config, error) {
	used := source.made()
	if used == nil {
		return nil, errUnmade
	}
	config := serverConfig{protocols: []string{"h2", "http/1.1"}, minVersion: tls.VersionTLS12}
	err := option.Set(&config, opts)
	switch {
	case err != nil:
	case used.certificate == nil:
		err = errors.New("the source has no certificate: want SourceCertificate")
	case used.roots == nil && (config.clientAuth != tls.NoClientCert || !config.peers.empty()):
		err = errors.New("clients are to show certificates, and the source has no roots: want SourceRoots")
	case config.chosen && config.clientAuth == tls.NoClientCert && !config.peers.empty():
		err = errors.New("ServerAnonymousClients excludes ServerAllowIDs and ServerAllowTrustDomains")
	}
	if err != nil {
		return nil, fmt.Errorf("tlsconfig: Server: %w", err)
	}
	if used.roots != nil && !config.chosen {
		config.clientAuth = tls.RequireAndVerifyClientCert
	}
	s := &server{serverConfig: config, source: source}
	outer := s.base(used)
	outer.Certificates, outer.GetCertificate = nil, func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
		return source.used.Load().certificate, nil
	}
	outer.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) { return s.current(), nil }
	return outer, nil
}

type server struct {
	serverConfig

	source *Source
	last   atomic.Pointer[serverFor]
}

// serverFor is the configuration for what was in use then.
type serverFor struct {
	used   *material
	config *tls.Config
}

// current returns the configuration for what is in use.
func (s *server) current() *tls.Config {
	used := s.source.used.Load()
	if last := s.last.Load(); last != nil && last.used == used {
		return last.config
	}
	config := s.base(used)
	s.last.Store(&serverFor{used: used, config: config})
	return config
}

func (s *server) base(used *material) *tls.Config {
	config := &tls.Config{
		MinVersion:   s.minVersion,
		CipherSuites: cipherSuites(),
		Certificates: []tls.Certificate{*used.certificate},
		NextProtos:   slices.Clone(s.protocols),
		ClientAuth:   s.clientAuth,
	}
	if s.clientAuth != tls.NoClientCert {
		config.ClientCAs = used.roots.pool
		config.VerifyConnection = s.verify
	}
	return config
}

// verify does what crypto/tls has not done: it looks at ids, and once more at the certificates that a session brought along.
func (s *server) verify(state tls.ConnectionState) error {
	certificates := state.PeerCertificates
	if len(certificates) == 0 {
		if s.clientAuth == tls.VerifyClientCertIfGiven {
			return nil
		}
		return errors.New("tlsconfig: the client showed no certificate")
	}
	err := s.peers.check(certificates[0])
	switch {
	case err != nil:
	case state.DidResume:
		err = verifyChain(certificates, s.source.used.Load().roots, "", x509.ExtKeyUsageClientAuth, time.Now())
	case len(state.VerifiedChains) == 0:
		err = errors.New("it was not verified")
	}
	return refused(certificates, err)
}
