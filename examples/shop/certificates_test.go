package main

import (
	"crypto/tls"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"

	"github.com/ashlar-go/ashlar/examples/shop/catalog"
	"github.com/ashlar-go/ashlar/examples/shop/orders"
	"github.com/ashlar-go/ashlar/log"
	"github.com/ashlar-go/ashlar/status"
	grpctransport "github.com/ashlar-go/ashlar/transport/grpc"
)

func tlsShop(t *testing.T) *shop {
	t.Helper()
	return openWith(t, options{addr: "127.0.0.1:0", registry: "static", tls: true})
}

func TestServicesAreOnlyForThoseWhomTheyKnow(t *testing.T) {
	t.Parallel()
	s := tlsShop(t)
	who := ada(t, s)
	for name, caller := range map[string]string{"another service": paymentsID, "who may": operatorID} {
		config, err := s.certificates.client(caller, ordersID)
		if err != nil {
			t.Fatal(err)
		}
		place(t, name, s, config, caller == operatorID)
	}
	anonymous, err := s.certificates.client(operatorID, ordersID)
	if err != nil {
		t.Fatal(err)
	}
	anonymous.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return new(tls.Certificate), nil }
	place(t, "nobody", s, anonymous, false)
	impostor, err := s.certificates.client(operatorID, catalogID)
	if err != nil {
		t.Fatal(err)
	}
	place(t, "orders that are not the catalog", s, impostor, false)
	if nc, err := nats.Connect(s.broker, nats.Secure(anonymous)); err == nil {
		nc.Close()
		t.Error("want the broker to ask for a certificate")
	}
	if code, _ := fetchTLS(t, s); code != http.StatusOK {
		t.Errorf("want the storefront open to those without a certificate, have %d", code)
	}
	if _, err := who.Credential(t.Context()); err != nil {
		t.Error(err)
	}
}

// place calls the orders over gRPC with such a configuration.
func place(t *testing.T, name string, s *shop, config *tls.Config, allowed bool) {
	t.Helper()
	conn, err := grpctransport.Dial(s.orders, grpctransport.DialTLS(config))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	sales, err := orders.NewGRPCClient(conn, ada(t, s).Middleware)
	if err != nil {
		t.Fatal(err)
	}
	_, err = sales.Place(t.Context(), &orders.Place{Lines: []catalog.Line{{SKU: "CHI-1001", Count: 1}}})
	if (err == nil) != allowed || err != nil && status.CodeOf(err) != status.Unavailable {
		t.Errorf("%s: have %v", name, err)
	}
}

// fetchTLS calls the storefront as a browser does.
func fetchTLS(t *testing.T, s *shop) (int, string) {
	t.Helper()
	config, err := s.certificates.client(operatorID, storefrontID)
	if err != nil {
		t.Fatal(err)
	}
	config.GetClientCertificate = nil
	transport := &http.Transport{TLSClientConfig: config}
	defer transport.CloseIdleConnections()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"/products?limit=1", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := (&http.Client{Transport: transport}).Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

func TestNothingOfTheCertificatesIsLeft(t *testing.T) {
	t.Parallel()
	s, err := open(options{addr: "127.0.0.1:0", registry: "static", tls: true}, log.New(t.Output()))
	if err != nil {
		t.Fatal(err)
	}
	dir := s.certificates.dir
	if info, err := os.Stat(s.certificates.path(ordersID + "-key")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("want a key for its owner only, have %v, %v", info, err)
	}
	if err := s.close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("want the directory gone, have %v", err)
	}
}

func TestTheWelcomeIsTrue(t *testing.T) {
	t.Parallel()
	for name, want := range map[bool][]string{false: {"curl 'http://", "grpcurl -plaintext "}, true: {"curl --cacert ", "'https://", "--tlscert "}} {
		s := openWith(t, options{addr: "127.0.0.1:0", registry: "static", tls: name})
		var out strings.Builder
		s.welcome(&out)
		for _, text := range want {
			if !strings.Contains(out.String(), text) {
				t.Errorf("want %q in\n%s", text, out.String())
			}
		}
	}
}
