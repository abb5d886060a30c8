package tlsconfig_test

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/ashlar-go/ashlar/internal/testcert"
	tlsconfig "github.com/ashlar-go/ashlar/transport/tls"
)

const host = "shop.test"

// files are those of one side.
type files struct {
	dir, cert, key, roots string
}

// put replaces files at once, as a tool that renames them does.
func (f files) put(t testing.TB, pair *testcert.Pair, roots *testcert.Authority) files {
	t.Helper()
	if pair != nil {
		replace(t, f.cert, pair.CertPEM())
		replace(t, f.key, pair.KeyPEM(t))
	}
	if roots != nil {
		replace(t, f.roots, roots.CertPEM())
	}
	return f
}

func newFiles(t testing.TB) files {
	t.Helper()
	dir := t.TempDir()
	return files{dir: dir, cert: filepath.Join(dir, "cert.pem"), key: filepath.Join(dir, "key.pem"), roots: filepath.Join(dir, "roots.pem")}
}

func replace(t testing.TB, path string, text []byte) {
	t.Helper()
	if err := errors.Join(os.WriteFile(path+".new", text, 0o600), os.Rename(path+".new", path)); err != nil {
		t.Fatal(err)
	}
}

func overwrite(t testing.TB, path string, text []byte) {
	t.Helper()
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// source returns one for all three files. It does not look at them again by itself, unless opts say so.
func source(t testing.TB, f files, opts ...tlsconfig.SourceOption) *tlsconfig.Source {
	t.Helper()
	s, err := tlsconfig.NewSource(append([]tlsconfig.SourceOption{
		tlsconfig.SourceCertificate(f.cert, f.key), tlsconfig.SourceRoots(f.roots), tlsconfig.SourceInterval(time.Hour),
	}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func serverConfig(t testing.TB, s *tlsconfig.Source, opts ...tlsconfig.ServerOption) *tls.Config {
	t.Helper()
	c, err := tlsconfig.Server(s, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func clientConfig(t testing.TB, s *tlsconfig.Source, opts ...tlsconfig.ClientOption) *tls.Config {
	t.Helper()
	c, err := tlsconfig.Client(s, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// to sets the name of who is called, as a transport does.
func to(config *tls.Config, name string) *tls.Config {
	config = config.Clone()
	config.ServerName = name
	return config
}

// plain is the configuration of a client as crypto/tls has it.
func plain(authority *testcert.Authority, pair *testcert.Pair) *tls.Config {
	c := &tls.Config{RootCAs: authority.Pool(), ServerName: host, MinVersion: tls.VersionTLS12}
	if pair != nil {
		c.Certificates = []tls.Certificate{pair.TLS()}
	}
	return c
}

// shake returns what client and server make of each other, and the client's view of the connection.
func shake(t testing.TB, client, server *tls.Config) (state tls.ConnectionState, clientErr, serverErr error) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	done := make(chan error, 1)
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			done <- err
			return
		}
		defer conn.Close()
		secure := tls.Server(conn, server)
		if err = secure.Handshake(); err == nil {
			_, err = secure.Write([]byte{1})
		}
		done <- err
	}()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	raw, err := new(net.Dialer).DialContext(ctx, "tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	conn := tls.Client(raw, client)
	if clientErr = conn.HandshakeContext(ctx); clientErr == nil {
		_, clientErr = conn.Read(make([]byte, 1)) // with TLS 1.3 what the server says of the client comes later
	}
	state = conn.ConnectionState()
	_ = raw.Close() // so that the server does not wait
	return state, clientErr, <-done
}
