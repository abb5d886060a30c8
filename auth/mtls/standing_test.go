package mtlsauth_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	mtlsauth "github.com/ashlar-go/ashlar/auth/mtls"
	"github.com/ashlar-go/ashlar/internal/testcert"
	"github.com/ashlar-go/ashlar/transport"
	tlsconfig "github.com/ashlar-go/ashlar/transport/tls"
)

// until makes what an authority signs, or an authority, valid for hours from the beginning of a bubble on.
func until(hours int, authority bool) testcert.Leaf {
	begin := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	return testcert.Leaf{
		URIs: []string{"spiffe://quarry.example/mason"}, NotBefore: begin, NotAfter: begin.Add(time.Duration(hours) * time.Hour),
		Change: func(c *x509.Certificate) { c.IsCA = authority },
	}
}

func TestACertificateEndsWithItsAuthorities(t *testing.T) {
	t.Parallel()
	root := testcert.New(t, "quarry")
	issue := func(hours int, authority bool) *x509.Certificate {
		return root.Issue(t, until(hours, authority)).Certificate
	}
	leaf, one, two, three := issue(9, false), issue(1, true), issue(2, true), issue(3, true)
	for name, row := range map[string]struct {
		chains [][]*x509.Certificate
		hours  int
	}{
		"an intermediate":            {[][]*x509.Certificate{{leaf, two, three}}, 2},
		"a root":                     {[][]*x509.Certificate{{leaf, two, one}}, 1},
		"the best chain is the last": {[][]*x509.Certificate{{leaf, one}, {}, {leaf, two, three}}, 2},
		"the best is the first":      {[][]*x509.Certificate{{leaf, three}, {leaf, two, three}}, 3},
	} {
		synctest.Test(t, func(t *testing.T) {
			end := time.Now().Add(time.Duration(row.hours) * time.Hour)
			call := &transport.Info{TLS: &tls.ConnectionState{PeerCertificates: []*x509.Certificate{leaf}, VerifiedChains: row.chains}}
			a := newAuthenticator(t)
			time.Sleep(time.Until(end))
			if p, err := a.Authenticate(t.Context(), call); err != nil || !p.Expires.Equal(end) {
				t.Errorf("%s: want it good until %v, have %+v, %v", name, end, p, err)
			}
			time.Sleep(time.Second)
			if p, err := a.Authenticate(t.Context(), call); p != nil || err == nil || !strings.Contains(err.Error(), "has ended") {
				t.Errorf("%s: want it bad, have %v, %v", name, p, err)
			}
		})
	}
	call := &transport.Info{TLS: &tls.ConnectionState{PeerCertificates: []*x509.Certificate{leaf}, VerifiedChains: [][]*x509.Certificate{{}}}}
	if p, err := newAuthenticator(t).Authenticate(t.Context(), call); p != nil || err == nil {
		t.Errorf("want a chain of nothing to be bad, have %v, %v", p, err)
	}
}

func TestAnAuthorityThatIsRemovedEndsStandingConnections(t *testing.T) {
	t.Parallel()
	root, gone := testcert.New(t, "quarry"), testcert.New(t, "gone")
	dir := t.TempDir()
	certFile, keyFile := root.Issue(t, testcert.Leaf{Hosts: []string{"127.0.0.1"}}).Write(t, dir, "server")
	rootFile := filepath.Join(dir, "roots.pem")
	put := func(text []byte) {
		if err := os.WriteFile(rootFile, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put(append(root.CertPEM(), gone.CertPEM()...))
	source, err := tlsconfig.NewSource(tlsconfig.SourceCertificate(certFile, keyFile), tlsconfig.SourceRoots(rootFile), tlsconfig.SourceInterval(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	config, err := tlsconfig.Server(source)
	if err != nil {
		t.Fatal(err)
	}
	url := serve(t, config, newAuthenticator(t, mtlsauth.Roots(source)))
	calls := make(map[string]func() int)
	for name, authority := range map[string]*testcert.Authority{"of the one that stays": root, "of the one that goes": gone} {
		pair := authority.Issue(t, testcert.Leaf{URIs: []string{"spiffe://quarry.example/mason"}})
		conn := &http.Transport{TLSClientConfig: &tls.Config{
			MinVersion: tls.VersionTLS13, RootCAs: root.Pool(), Certificates: []tls.Certificate{pair.TLS()},
		}}
		defer conn.CloseIdleConnections()
		calls[name] = func() int {
			request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			response, err := conn.RoundTrip(request)
			if err != nil {
				t.Fatal(err)
			}
			_, err = io.Copy(io.Discard, response.Body)
			if err = errors.Join(err, response.Body.Close()); err != nil {
				t.Fatal(err)
			}
			return response.StatusCode
		}
		if want, have := http.StatusOK, calls[name](); want != have {
			t.Errorf("%s: want %d, have %d", name, want, have)
		}
	}
	put(root.CertPEM())
	if err := source.Reload(); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]int{"of the one that stays": http.StatusOK, "of the one that goes": http.StatusUnauthorized} {
		if have := calls[name](); want != have {
			t.Errorf("%s: want %d, have %d", name, want, have)
		}
	}
}
