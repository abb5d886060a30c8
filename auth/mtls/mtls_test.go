package mtlsauth_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ashlar-go/ashlar/auth"
	mtlsauth "github.com/ashlar-go/ashlar/auth/mtls"
	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/internal/testcert"
	"github.com/ashlar-go/ashlar/transport"
	httptransport "github.com/ashlar-go/ashlar/transport/http"
	tlsconfig "github.com/ashlar-go/ashlar/transport/tls"
)

func newAuthenticator(t *testing.T, opts ...mtlsauth.Option) *mtlsauth.Authenticator {
	t.Helper()
	a, err := mtlsauth.New(opts...)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// serve serves who calls, by the authenticator, and returns its address.
func serve(t *testing.T, config *tls.Config, a auth.Authenticator) string {
	t.Helper()
	spec := endpoint.Spec{Service: "quarry", Method: "Who"}
	mux := http.NewServeMux()
	mux.Handle("GET /", httptransport.NewServer(spec, func(ctx context.Context, _ struct{}) (string, error) {
		p := auth.PrincipalOf(ctx)
		return p.Method + " " + p.Subject + " of " + p.Issuer, nil
	}, httptransport.ServerMiddleware(auth.Middleware(a))))
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := httptransport.NewHTTPServer(mux)
	server.TLSConfig = config
	var work sync.WaitGroup
	work.Go(func() { _ = server.ServeTLS(listener, "", "") })
	t.Cleanup(func() {
		_ = server.Close()
		work.Wait()
	})
	return "https://" + listener.Addr().String()
}

func TestCallersAreKnownByTheirCertificates(t *testing.T) {
	t.Parallel()
	authority := testcert.New(t, "quarry")
	own := authority.Issue(t, testcert.Leaf{Hosts: []string{"127.0.0.1"}})
	const id = "spiffe://quarry.example/mason"
	spiffe := testcert.Leaf{URIs: []string{id}, Hosts: []string{"mason.example"}, Name: "Ann"}
	dns := testcert.Leaf{Hosts: []string{"mason.example"}, Name: "Ann"}
	byName := []mtlsauth.Option{mtlsauth.DNSName(), mtlsauth.CommonName()}
	for name, test := range map[string]struct {
		leaf *testcert.Leaf
		opts []mtlsauth.Option
		who  string // empty for unauthenticated
		any  bool   // the server takes any certificate, and verifies none
	}{
		"an id":                      {leaf: &spiffe, who: id + " of spiffe://quarry.example"},
		"an id among names":          {leaf: &spiffe, opts: byName, who: id + " of spiffe://quarry.example"},
		"an id of a domain":          {leaf: &spiffe, opts: []mtlsauth.Option{mtlsauth.TrustDomains("other", "quarry.example")}, who: id + " of spiffe://quarry.example"},
		"an id of another domain":    {leaf: &spiffe, opts: append(byName, mtlsauth.TrustDomains("other"))},
		"two ids":                    {leaf: &testcert.Leaf{URIs: []string{id, id + "2"}, Name: "Ann"}, opts: byName},
		"a URI that is no id":        {leaf: &testcert.Leaf{URIs: []string{"https://quarry.example/ann"}, Name: "Ann"}, opts: byName},
		"a DNS name":                 {leaf: &dns, opts: byName, who: "mason.example of CN=quarry"},
		"a DNS name, not asked for":  {leaf: &dns},
		"a common name":              {leaf: &testcert.Leaf{Name: "Ann"}, opts: byName, who: "Ann of CN=quarry"},
		"a common name, not the DNS": {leaf: &dns, opts: byName[1:], who: "Ann of CN=quarry"},
		"two DNS names":              {leaf: &testcert.Leaf{Hosts: []string{"a.example", "b.example"}}, opts: byName},
		"a DNS name in capitals":     {leaf: &testcert.Leaf{Hosts: []string{"Mason.EXAMPLE"}}, opts: byName, who: "mason.example of CN=quarry"},
		"a DNS name that is an id":   {leaf: &testcert.Leaf{Hosts: []string{id}, Name: "Ann"}, opts: byName},
		"a DNS name of many":         {leaf: &testcert.Leaf{Hosts: []string{"*.mason.example"}, Name: "Ann"}, opts: byName},
		"a DNS name of all":          {leaf: &testcert.Leaf{Hosts: []string{"*"}, Name: "Ann"}, opts: byName},
		"a DNS name of no label":     {leaf: &testcert.Leaf{Hosts: []string{"mason.example."}, Name: "Ann"}, opts: byName},
		"a DNS name of two lines":    {leaf: &testcert.Leaf{Hosts: []string{"a.example\n"}, Name: "Ann"}, opts: byName},
		"a common name that is an id": {
			leaf: &testcert.Leaf{Name: id}, opts: append(byName, mtlsauth.TrustDomains("quarry.example")),
		},
		"a common name of two lines": {leaf: &testcert.Leaf{Name: "Ann\nBob"}, opts: byName},
		"a common name not printed":  {leaf: &testcert.Leaf{Name: "Ann\u202e"}, opts: byName},
		"a common name with accents": {leaf: &testcert.Leaf{Name: "Zoë Ångström"}, opts: byName, who: "Zoë Ångström of CN=quarry"},
		"no certificate":             {},
		"none that was verified":     {leaf: &spiffe, any: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config := &tls.Config{
				MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{own.TLS()},
				ClientAuth: tls.VerifyClientCertIfGiven, ClientCAs: authority.Pool(),
			}
			if test.any {
				config.ClientAuth = tls.RequireAnyClientCert
			}
			url := serve(t, config, newAuthenticator(t, test.opts...))
			caller := &tls.Config{MinVersion: tls.VersionTLS13, RootCAs: authority.Pool()}
			if test.leaf != nil {
				caller.Certificates = []tls.Certificate{authority.Issue(t, *test.leaf).TLS()}
			}
			client := &http.Client{Transport: &http.Transport{TLSClientConfig: caller}}
			defer client.CloseIdleConnections()
			request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			response, err := client.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			body, _ := io.ReadAll(response.Body)
			want := `"` + mtlsauth.Method + " " + test.who + `"`
			if test.who == "" && response.StatusCode != http.StatusUnauthorized || test.who != "" && strings.TrimSpace(string(body)) != want {
				t.Errorf("want %s, have HTTP %d, %s", want, response.StatusCode, body)
			}
		})
	}
}

func TestACertificateEndsWhileItsConnectionStands(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		end := time.Now().Add(time.Hour)
		leaf := testcert.New(t, "quarry").Issue(t, testcert.Leaf{URIs: []string{"spiffe://quarry.example/mason"}, NotAfter: end}).Certificate
		call := &transport.Info{TLS: &tls.ConnectionState{
			PeerCertificates: []*x509.Certificate{leaf}, VerifiedChains: [][]*x509.Certificate{{leaf}},
		}}
		a := newAuthenticator(t)
		p, err := a.Authenticate(t.Context(), call)
		if err != nil || !p.Expires.Equal(leaf.NotAfter) || p.Claims != leaf {
			t.Errorf("want it good until %v, have %+v, %v", leaf.NotAfter, p, err)
		}
		<-time.After(time.Hour + time.Second)
		if p, err := a.Authenticate(t.Context(), call); p != nil || err == nil || !strings.Contains(err.Error(), "has ended") {
			t.Errorf("want it bad, have %v, %v", p, err)
		}
	})
}

func TestWithoutACertificateThereAreNoCredentials(t *testing.T) {
	t.Parallel()
	var zero mtlsauth.Authenticator
	for _, call := range []*transport.Info{nil, {}, {TLS: new(tls.ConnectionState)}} {
		if p, err := zero.Authenticate(t.Context(), call); p != nil || !errors.Is(err, auth.ErrNone) {
			t.Errorf("want none, have %v, %v", p, err)
		}
	}
	if p, err := (*mtlsauth.Authenticator)(nil).Authenticate(t.Context(), nil); p != nil || err == nil || errors.Is(err, auth.ErrNone) {
		t.Errorf("want it refused, have %v, %v", p, err)
	}
}

func TestOptionsThatAreWrong(t *testing.T) {
	t.Parallel()
	certFile, keyFile := testcert.New(t, "quarry").Issue(t, testcert.Leaf{}).Write(t, t.TempDir(), "server")
	rootless, err := tlsconfig.NewSource(tlsconfig.SourceCertificate(certFile, keyFile))
	if err != nil {
		t.Fatal(err)
	}
	defer rootless.Close()
	for want, o := range map[string]mtlsauth.Option{
		"TrustDomains of no name": mtlsauth.TrustDomains(),
		`TrustDomains("A"): `:     mtlsauth.TrustDomains("A"),
		`TrustDomains("a/b"): `:   mtlsauth.TrustDomains("ok", "a/b"),
		`TrustDomains(""): `:      mtlsauth.TrustDomains(""),
		"function 0 is nil":       nil,
		"Roots: tlsconfig: the":   mtlsauth.Roots(nil),
		"made by NewSource":       mtlsauth.Roots(new(tlsconfig.Source)),
		"has no roots":            mtlsauth.Roots(rootless),
	} {
		if a, err := mtlsauth.New(o); a != nil || err == nil || !strings.HasPrefix(err.Error(), "mtlsauth: New: ") || !strings.Contains(err.Error(), want) {
			t.Errorf("want an error with %q, have %v", want, err)
		}
	}
}
