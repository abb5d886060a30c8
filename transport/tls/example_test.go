package tlsconfig_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/ashlar-go/ashlar/internal/pki"
	httptransport "github.com/ashlar-go/ashlar/transport/http"
	tlsconfig "github.com/ashlar-go/ashlar/transport/tls"
)

// certificates writes those of an authority, of a server and of a client, as examples/devcerts does.
func certificates(dir string) error {
	authority, err := pki.New("root", time.Hour)
	if err != nil {
		return err
	}
	all := os.WriteFile(filepath.Join(dir, "ca.pem"), authority.CertPEM(), 0o600)
	for _, name := range []string{"shop", "buyer"} {
		pair, err := authority.Issue(pki.Leaf{Name: name, URIs: []string{"spiffe://dev.local/" + name}})
		if err != nil {
			return err
		}
		key, err := pair.KeyPEM()
		all = errors.Join(all, err, os.WriteFile(filepath.Join(dir, name+".pem"), pair.CertPEM(), 0o600),
			os.WriteFile(filepath.Join(dir, name+"-key.pem"), key, 0o600))
	}
	return all
}

// A server and a client that know each other by their SPIFFE ids. Whatever their files become, nothing is to be started again.
func Example() {
	dir, err := os.MkdirTemp("", "tls")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if err := certificates(dir); err != nil {
		fmt.Println(err)
		return
	}
	in := func(name string) string { return filepath.Join(dir, name) }

	shop, err := tlsconfig.NewSource(tlsconfig.SourceCertificate(in("shop.pem"), in("shop-key.pem")), tlsconfig.SourceRoots(in("ca.pem")),
		tlsconfig.SourceOnEvent(func(e tlsconfig.Event) {
			if e.Kind != tlsconfig.Loaded {
				fmt.Println(e) // to the log
			}
		}))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer shop.Close()
	serverConfig, err := tlsconfig.Server(shop, tlsconfig.ServerAllowTrustDomains("dev.local"))
	if err != nil {
		fmt.Println(err)
		return
	}
	mux := http.NewServeMux()
	mux.Handle(route, httptransport.NewServer(spec(), whoAsks))
	server := httptransport.NewHTTPServer(mux)
	server.TLSConfig = serverConfig
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	done := make(chan error, 1)
	go func() { done <- server.ServeTLS(listener, "", "") }()
	defer func() {
		if err := httptransport.Shutdown(context.Background(), server, 0); err != nil {
			fmt.Println(err)
		}
		if err := <-done; !errors.Is(err, http.ErrServerClosed) {
			fmt.Println(err)
		}
	}()

	buyer, err := tlsconfig.NewSource(tlsconfig.SourceCertificate(in("buyer.pem"), in("buyer-key.pem")), tlsconfig.SourceRoots(in("ca.pem")))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer buyer.Close()
	clientConfig, err := tlsconfig.Client(buyer, tlsconfig.ClientAllowIDs("spiffe://dev.local/shop"))
	if err != nil {
		fmt.Println(err)
		return
	}
	conn, err := httptransport.Dial("https://"+listener.Addr().String(), httptransport.DialTLS(clientConfig))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer conn.Close()
	ask, err := httptransport.NewClient[*question, *answer](spec(), conn, route)
	if err != nil {
		fmt.Println(err)
		return
	}
	who, err := ask(context.Background(), &question{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("the shop was asked by", who.Caller)
	fmt.Println("its certificate is valid for a day:", shop.Status().Left(time.Now()).Round(time.Hour) == 24*time.Hour)
	// Output:
	// the shop was asked by spiffe://dev.local/buyer
	// its certificate is valid for a day: true
}
