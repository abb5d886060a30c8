package testcert_test

import (
	"crypto/tls"
	"net"
	"os"
	"testing"

	"github.com/ashlar-go/ashlar/internal/testcert"
)

// handshake returns what the client and the server make of each other.
func handshake(client, server *tls.Config) (clientErr, serverErr error) {
	a, b := net.Pipe()
	done := make(chan error, 1)
	go func() {
		defer b.Close()
		conn := tls.Server(b, server)
		err := conn.Handshake()
		if err == nil {
			_, err = conn.Write([]byte{1})
		}
		done <- err
	}()
	conn := tls.Client(a, client)
	if clientErr = conn.Handshake(); clientErr == nil {
		_, clientErr = conn.Read(make([]byte, 1))
	}
	_ = a.Close() // the server is not to wait for the client
	return clientErr, <-done
}

func TestBothSidesTrustWhatTheAuthoritySigned(t *testing.T) {
	t.Parallel()
	root := testcert.New(t, "root")
	middle := root.Intermediate(t, "middle")
	dir := t.TempDir()
	certFile, keyFile := middle.Issue(t, testcert.Leaf{Hosts: []string{"shop.test"}}).Write(t, dir, "server")
	server, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		t.Fatal(err)
	}
	serverConfig := &tls.Config{Certificates: []tls.Certificate{server}, ClientCAs: root.Pool(), ClientAuth: tls.RequireAndVerifyClientCert}
	clientConfig := func(p *testcert.Pair) *tls.Config {
		return &tls.Config{Certificates: []tls.Certificate{p.TLS()}, RootCAs: root.Pool(), ServerName: "shop.test"}
	}
	if clientErr, serverErr := handshake(clientConfig(root.Issue(t, testcert.Leaf{Name: "client"})), serverConfig); clientErr != nil || serverErr != nil {
		t.Errorf("want both to agree, have %v and %v", clientErr, serverErr)
	}
	if _, serverErr := handshake(clientConfig(root.Expired(t, testcert.Leaf{Name: "client"})), serverConfig); serverErr == nil {
		t.Error("want an expired certificate to be refused")
	}
	text, err := os.ReadFile(root.Write(t, dir, "root"))
	if want, have := string(root.CertPEM()), string(text); err != nil || want != have {
		t.Errorf("want %s, have %s, %v", want, have, err)
	}
}
