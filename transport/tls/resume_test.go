package tlsconfig_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"strings"
	"testing"

	"github.com/ashlar-go/ashlar/internal/testcert"
	tlsconfig "github.com/ashlar-go/ashlar/transport/tls"
)

// both is a pool, and a file, of two authorities.
func both(a, b *testcert.Authority) []byte { return append(a.CertPEM(), b.CertPEM()...) }

func TestASessionDoesNotOutliveTheAuthorityOfItsClient(t *testing.T) {
	t.Parallel()
	for _, version := range versions() {
		root, gone := testcert.New(t, "root"), testcert.New(t, "gone")
		f := newFiles(t).put(t, root.Issue(t, leaf()), root)
		overwrite(t, f.roots, both(root, gone))
		s := source(t, f)
		server := serverConfig(t, s)
		clients := map[string]*tls.Config{"of the one that stays": plain(root, root.Issue(t, leaf())), "of the one that goes": plain(root, gone.Issue(t, leaf()))}
		for name, client := range clients {
			client.MaxVersion, client.ClientSessionCache = version, tls.NewLRUClientSessionCache(4)
			for _, want := range []bool{false, true} {
				state, clientErr, serverErr := shake(t, client, server)
				if err := errors.Join(clientErr, serverErr); err != nil || state.DidResume != want {
					t.Fatalf("%s: want resumed %v, have %v, %v", name, want, state.DidResume, err)
				}
			}
		}
		f.put(t, nil, root)
		if err := s.Reload(); err != nil {
			t.Fatal(err)
		}
		for name, client := range clients {
			stays := strings.HasSuffix(name, "stays")
			state, clientErr, serverErr := shake(t, client, server)
			if (serverErr == nil) != stays || (clientErr == nil) != stays || state.DidResume && !stays {
				t.Errorf("%s, %s: want it to stay %v, have %v, %v, resumed %v", name, tls.VersionName(version), stays, clientErr, serverErr, state.DidResume)
			}
		}
	}
}

// What crypto/tls does not look at again, or did not in earlier releases, is looked at in any case.
func TestTheChainOfAResumedSessionIsVerifiedByTheNewRoots(t *testing.T) {
	t.Parallel()
	root, gone := testcert.New(t, "root"), testcert.New(t, "gone")
	f := newFiles(t).put(t, root.Issue(t, leaf()), root)
	s := source(t, f)
	verify := serverConfig(t, s, tlsconfig.ServerAllowTrustDomains("dev.local")).VerifyConnection
	state := func(a *testcert.Authority, resumed bool) tls.ConnectionState {
		c := a.Issue(t, leaf()).Certificate
		chains := [][]*x509.Certificate{{c, a.Certificate}}
		return tls.ConnectionState{DidResume: resumed, PeerCertificates: chains[0][:1], VerifiedChains: chains}
	}
	if err := errors.Join(verify(state(root, true)), verify(state(root, false))); err != nil {
		t.Errorf("want a client of the root to pass, have %v", err)
	}
	unverified := state(root, false)
	unverified.VerifiedChains = nil
	for name, state := range map[string]tls.ConnectionState{"resumed": state(gone, true), "not verified": unverified, "nobody": {}} {
		if err := verify(state); err == nil {
			t.Errorf("%s: want an error", name)
		}
	}
	if err := clientConfig(t, s).VerifyConnection(tls.ConnectionState{ServerName: host}); err == nil {
		t.Error("want a server without a certificate to be refused")
	}
}

func TestASessionDoesNotOutliveTheAuthorityOfItsServer(t *testing.T) {
	t.Parallel()
	for _, version := range versions() {
		root, gone := testcert.New(t, "root"), testcert.New(t, "gone")
		f := newFiles(t).put(t, root.Issue(t, leaf()), root)
		overwrite(t, f.roots, both(root, gone))
		s := source(t, f)
		client := to(clientConfig(t, s), host)
		client.ClientSessionCache = tls.NewLRUClientSessionCache(4)
		server := &tls.Config{Certificates: []tls.Certificate{gone.Issue(t, leaf()).TLS()}, MaxVersion: version}
		for _, want := range []bool{false, true} {
			if state, err, _ := shake(t, client, server); err != nil || state.DidResume != want {
				t.Fatalf("want resumed %v, have %v, %v", want, state.DidResume, err)
			}
		}
		f.put(t, nil, root)
		if err := s.Reload(); err != nil {
			t.Fatal(err)
		}
		if _, err, _ := shake(t, client, server); err == nil || !strings.Contains(err.Error(), "unknown authority") {
			t.Errorf("%s: want it refused, have %v", tls.VersionName(version), err)
		}
	}
}
