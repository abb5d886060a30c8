package httptransport_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	httptransport "github.com/ashlar-go/ashlar/transport/http"
)

func TestADialerTakesAddresses(t *testing.T) {
	t.Parallel()
	plain, _ := start(t, handler("POST /x", add))
	secure := httptest.NewTLSServer(handler("POST /x", add))
	t.Cleanup(secure.Close)
	roots := x509.NewCertPool()
	roots.AddCert(secure.Certificate())
	overTLS := httptransport.DialTLS(&tls.Config{RootCAs: roots})
	host := func(s *httptest.Server) string { return s.Listener.Addr().String() }

	cases := map[string]struct {
		address string
		opts    []httptransport.DialOption
	}{
		"an address":             {host(plain), nil},
		"a URL":                  {plain.URL, nil},
		"an address with TLS":    {host(secure), []httptransport.DialOption{overTLS}},
		"a URL in the clear":     {plain.URL, []httptransport.DialOption{overTLS}},
		"a client of somebody's": {host(plain), []httptransport.DialOption{httptransport.DialClient(new(http.Client))}},
	}
	for name, c := range cases {
		dialer, err := httptransport.Dialer(c.opts...)
		if err != nil {
			t.Fatal(err)
		}
		conn, err := dialer(t.Context(), c.address)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if have, err := newClient[*pair, *total](t, conn, "POST /x")(t.Context(), &pair{1, 2}); err != nil || have.Sum != 3 {
			t.Errorf("%s: want 3, have %v, %v", name, have, err)
		}
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestADialerFailsWhereNobodyListens(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(nil)
	address := srv.Listener.Addr().String()
	srv.Close()
	dialer, err := httptransport.Dialer()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := dialer(t.Context(), address); err == nil || !strings.Contains(err.Error(), address) {
		t.Errorf("want an error that names the address, have %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := dialer(ctx, address); err == nil {
		t.Error("want an error for a context that has ended")
	}
	for _, address := range []string{"", "ftp://x", "a b"} {
		if _, err := dialer(t.Context(), address); err == nil {
			t.Errorf("%q: want an error", address)
		}
	}
	if _, err := httptransport.Dialer(nil); err == nil {
		t.Error("want an error for a nil option")
	}
}
