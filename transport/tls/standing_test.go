package tlsconfig_test

import (
	"crypto/tls"
	"crypto/x509"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ashlar-go/ashlar/internal/testcert"
	tlsconfig "github.com/ashlar-go/ashlar/transport/tls"
)

func TestClientsOfStandingConnectionsAreVerifiedByThePresentRoots(t *testing.T) {
	t.Parallel()
	root, gone := testcert.New(t, "root"), testcert.New(t, "gone")
	own := root.Issue(t, bubbled(leaf()))
	state := func(l testcert.Leaf, authorities ...*testcert.Authority) *tls.ConnectionState {
		c := authorities[0].Issue(t, l).Certificate
		s := &tls.ConnectionState{PeerCertificates: []*x509.Certificate{c}}
		for _, a := range authorities {
			s.VerifiedChains = append(s.VerifiedChains, []*x509.Certificate{c, a.Certificate})
		}
		return s
	}
	now := time.Now()
	short := leaf()
	short.NotAfter = now.Add(time.Hour)
	servers := only(x509.ExtKeyUsageServerAuth)
	stays, goes, ends, other := state(leaf(), root), state(leaf(), gone), state(short, root), state(leaf(), gone, root)
	// A root that was renewed is another certificate with the same name and key, which has to be verified anew: here the old one is unknown.
	renewed, wrong := state(leaf(), root), state(servers, root)
	renewed.VerifiedChains[0][1], wrong.VerifiedChains[0][1] = gone.Certificate, gone.Certificate
	f := newFiles(t).put(t, own, nil)
	overwrite(t, f.roots, both(root, gone))
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(now))
		f.put(t, root.Issue(t, leaf()), nil)
		s := source(t, f)
		defer s.Close()
		check := func(when string, state *tls.ConnectionState, want string) {
			t.Helper()
			if err := s.VerifyClient(state); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
				t.Errorf("%s: want %q, have %v", when, want, err)
			}
		}
		for _, state := range []*tls.ConnectionState{stays, goes, ends, other} {
			check("before", state, "")
		}
		f.put(t, nil, root)
		if err := s.Reload(); err != nil {
			t.Fatal(err)
		}
		check("it stays", stays, "")
		check("it goes", goes, "unknown authority")
		check("one of two stays", other, "")
		check("it was renewed", renewed, "")
		check("not for clients", wrong, "usage")
		check("nobody", &tls.ConnectionState{}, "no certificate")
		check("nil", nil, "no certificate")
		check("not verified", &tls.ConnectionState{PeerCertificates: stays.PeerCertificates}, "no certificate")
		time.Sleep(time.Hour + time.Minute)
		check("it has ended", ends, "expired")
	})
	rootless, err := tlsconfig.NewSource(tlsconfig.SourceCertificate(root.Issue(t, leaf()).Write(t, t.TempDir(), "cert")))
	if err != nil {
		t.Fatal(err)
	}
	defer rootless.Close()
	for want, s := range map[string]*tlsconfig.Source{"no roots": rootless, "NewSource": nil} {
		if err := s.VerifyClient(stays); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want an error with %q, have %v", want, err)
		}
	}
}
