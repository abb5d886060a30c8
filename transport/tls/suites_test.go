package tlsconfig_test

import (
	"crypto/tls"
	"errors"
	"slices"
	"testing"

	"github.com/ashlar-go/ashlar/internal/testcert"
	tlsconfig "github.com/ashlar-go/ashlar/transport/tls"
)

func TestCiphersWithoutAuthenticationAreRefused(t *testing.T) {
	t.Parallel()
	root := testcert.New(t, "root")
	pair := root.Issue(t, leaf())
	s := source(t, newFiles(t).put(t, pair, root))
	server, client := serverConfig(t, s, tlsconfig.ServerAnonymousClients()), to(clientConfig(t, s), host)
	// The certificate is ECDSA, and so those for RSA are not to be had in any case.
	good := []uint16{
		tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
	}
	for _, suite := range slices.Concat(tls.CipherSuites(), tls.InsecureCipherSuites()) {
		if !slices.Contains(suite.SupportedVersions, tls.VersionTLS12) {
			continue
		}
		alone := func(config *tls.Config) *tls.Config {
			config.MaxVersion, config.CipherSuites = tls.VersionTLS12, []uint16{suite.ID}
			return config
		}
		for side, configs := range map[string][2]*tls.Config{
			"server": {alone(plain(root, nil)), server},
			"client": {client, alone(&tls.Config{Certificates: []tls.Certificate{pair.TLS()}})},
		} {
			state, clientErr, serverErr := shake(t, configs[0], configs[1])
			err := errors.Join(clientErr, serverErr)
			if want := slices.Contains(good, suite.ID); (err == nil) != want || want && state.CipherSuite != suite.ID {
				t.Errorf("%s, %s: want it taken %v, have %v", side, suite.Name, want, err)
			}
		}
	}
}
