package tlsconfig_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/internal/testcert"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
	httptransport "github.com/ashlar-go/ashlar/transport/http"
	tlsconfig "github.com/ashlar-go/ashlar/transport/tls"
)

type (
	question struct{}
	answer   struct{ Caller string }
)

func spec() endpoint.Spec { return endpoint.Spec{Service: "shop", Method: "Ask", Idempotent: true} }

const route = "GET /ask"

// whoAsks answers with the id of the caller, which it has from the transport.
func whoAsks(ctx context.Context, _ *question) (*answer, error) {
	state := transport.FromContext(ctx).TLS
	if state == nil || len(state.VerifiedChains) == 0 {
		return nil, status.New(status.Unauthenticated, "nobody was verified")
	}
	id, err := tlsconfig.SPIFFEIDOf(state.VerifiedChains[0][0])
	return &answer{Caller: id.String()}, err
}

// serveHTTP serves with the configuration until the test ends, and returns the address.
func serveHTTP(t testing.TB, config *tls.Config) (address string) {
	t.Helper()
	mux := http.NewServeMux()
	mux.Handle(route, httptransport.NewServer(spec(), whoAsks))
	server := httptransport.NewHTTPServer(mux)
	server.TLSConfig = config
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- server.ServeTLS(listener, "", "") }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := httptransport.Shutdown(ctx, server, 0); err != nil {
			t.Error(err)
		}
		if err := <-done; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
	return listener.Addr().String()
}

func askHTTP(t testing.TB, address string, opts ...httptransport.DialOption) endpoint.Endpoint[*question, *answer] {
	t.Helper()
	conn, err := httptransport.Dial("https://"+address, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	ask, err := httptransport.NewClient[*question, *answer](spec(), conn, route)
	if err != nil {
		t.Fatal(err)
	}
	return ask
}

// parties are the two sides of a call, with a source each.
type parties struct {
	root           *testcert.Authority
	server, client files
}

const buyerID = "spiffe://dev.local/buyer"

func buyer() testcert.Leaf { return testcert.Leaf{Name: "buyer", URIs: []string{buyerID}} }

func newParties(t testing.TB) parties {
	t.Helper()
	root := testcert.New(t, "root")
	return parties{
		root: root, server: newFiles(t).put(t, root.Issue(t, leaf()), root), client: newFiles(t).put(t, root.Issue(t, buyer()), root),
	}
}

func TestHTTP(t *testing.T) {
	t.Parallel()
	p := newParties(t)
	servers := source(t, p.server)
	config := serverConfig(t, servers, tlsconfig.ServerAllowIDs(buyerID))
	address := serveHTTP(t, config)
	client := source(t, p.client)
	for name, opts := range map[string][]tlsconfig.ClientOption{
		"by id": {tlsconfig.ClientAllowIDs(shopID)}, "by name": {tlsconfig.ClientServerName(host)}, "by address": {tlsconfig.ClientServerName("127.0.0.1")},
	} {
		ctx, observer := transport.Observe(t.Context())
		have, err := askHTTP(t, address, httptransport.DialTLS(clientConfig(t, client, opts...)))(ctx, &question{})
		if err != nil || have.Caller != buyerID {
			t.Errorf("%s: want %s, have %v, %v", name, buyerID, have, err)
		}
		if state := observer.Info().TLS; state == nil || state.NegotiatedProtocol != "h2" || state.Version != tls.VersionTLS13 {
			t.Errorf("%s: want HTTP/2 over TLS 1.3, have %+v", name, state)
		}
	}
	strangers := newParties(t)
	late := p.root.Expired(t, buyer())
	for name, config := range map[string]*tls.Config{
		"another server":    clientConfig(t, client, tlsconfig.ClientAllowIDs("spiffe://dev.local/other")),
		"the address":       clientConfig(t, client),
		"unknown authority": clientConfig(t, source(t, strangers.client), tlsconfig.ClientAllowIDs(shopID)),
		"another client":    clientConfig(t, source(t, p.server), tlsconfig.ClientAllowIDs(shopID)),
		"expired":           {RootCAs: p.root.Pool(), ServerName: host, Certificates: []tls.Certificate{late.TLS()}},
		"nobody":            {RootCAs: p.root.Pool(), ServerName: host},
	} {
		_, err := askHTTP(t, address, httptransport.DialTLS(config))(t.Context(), &question{})
		if status.CodeOf(err) != status.Unavailable {
			t.Errorf("%s: want it to be unavailable, have %v", name, err)
		}
	}

	p.client.put(t, nil, testcert.New(t, "another"))
	if err := client.Reload(); err != nil {
		t.Fatal(err)
	}
	_, err := askHTTP(t, address, httptransport.DialTLS(clientConfig(t, client, tlsconfig.ClientAllowIDs(shopID))))(t.Context(), &question{})
	if !errors.Is(err, transport.ErrNotSent) {
		t.Errorf("want nothing to be sent to a server whose authority is gone, have %v", err)
	}
	p.server.put(t, nil, testcert.New(t, "another"))
	if err := servers.Reload(); err != nil {
		t.Fatal(err)
	}
	good := &tls.Config{RootCAs: p.root.Pool(), ServerName: host, Certificates: []tls.Certificate{p.root.Issue(t, buyer()).TLS()}}
	if _, err := askHTTP(t, address, httptransport.DialTLS(good))(t.Context(), &question{}); status.CodeOf(err) != status.Unavailable {
		t.Errorf("want a client to be refused whose authority is gone, have %v", err)
	}
}

func TestPlaintextToATLSPortIsRefusedAtOnce(t *testing.T) {
	t.Parallel()
	p := newParties(t)
	address := serveHTTP(t, serverConfig(t, source(t, p.server)))
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Write([]byte("GET /ask HTTP/1.1\r\nHost: x\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(conn).ReadString('\n')
	if !strings.HasPrefix(line, "HTTP/1.0 400 ") {
		t.Errorf("want it to be told, have %q, %v", line, err)
	}
}
