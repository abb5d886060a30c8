package tlsconfig_test

import (
	"crypto/tls"
	"crypto/x509"
	"testing"

	"github.com/ashlar-go/ashlar/internal/testcert"
	tlsconfig "github.com/ashlar-go/ashlar/transport/tls"
)

// BenchmarkHandshake compares mutual TLS of both sides with that of crypto/tls alone.
func BenchmarkHandshake(b *testing.B) {
	p := newParties(b)
	server, client := source(b, p.server), source(b, p.client)
	for name, row := range map[string][2]*tls.Config{
		"crypto/tls": {
			plain(p.root, p.root.Issue(b, buyer())),
			{Certificates: []tls.Certificate{p.root.Issue(b, leaf()).TLS()}, ClientCAs: p.root.Pool(), ClientAuth: tls.RequireAndVerifyClientCert},
		},
		"by name": {to(clientConfig(b, client), host), serverConfig(b, server)},
		"by id":   {clientConfig(b, client, tlsconfig.ClientAllowIDs(shopID)), serverConfig(b, server, tlsconfig.ServerAllowIDs(buyerID))},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, clientErr, serverErr := shake(b, row[0], row[1]); clientErr != nil || serverErr != nil {
					b.Fatal(clientErr, serverErr)
				}
			}
		})
	}
}

// BenchmarkLook is what each look at the files costs that have not changed for a while.
func BenchmarkLook(b *testing.B) {
	p := newParties(b)
	s := source(b, p.server)
	b.ReportAllocs()
	for b.Loop() {
		if err := s.Reload(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParseSPIFFEID(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := tlsconfig.ParseSPIFFEID(buyerID); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkVerifyClient(b *testing.B) {
	root, other := testcert.New(b, "root"), testcert.New(b, "other")
	pair := root.Issue(b, leaf())
	s := source(b, newFiles(b).put(b, pair, root))
	for name, authority := range map[string]*testcert.Authority{"stays": root, "renewed": other} {
		state := &tls.ConnectionState{
			PeerCertificates: []*x509.Certificate{pair.Certificate}, VerifiedChains: [][]*x509.Certificate{{pair.Certificate, authority.Certificate}},
		}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := s.VerifyClient(state); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
