package main

import (
	"bytes"
	"crypto/tls"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"

	tlsconfig "github.com/ashlar-go/ashlar/transport/tls"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func devcerts(t *testing.T, args ...string) (out string) {
	t.Helper()
	var printed bytes.Buffer
	if err := run(args, &printed, io.Discard); err != nil {
		t.Fatal(err)
	}
	return printed.String()
}

func source(t *testing.T, dir, name string) *tlsconfig.Source {
	t.Helper()
	cert, key := paths(dir, name)
	s, err := tlsconfig.NewSource(tlsconfig.SourceCertificate(cert, key), tlsconfig.SourceRoots(filepath.Join(dir, "ca.pem")))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestWhatItMakesWorks(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "certs")
	args := []string{"-dir", dir, "-hosts", "localhost,127.0.0.1", "-spiffe", "spiffe://dev.local/shop", "-spiffe", "spiffe://dev.local/ns/orders"}
	out := devcerts(t, args...)
	for _, want := range []string{"made  " + filepath.Join(dir, "ca.pem"), filepath.Join(dir, "shop-key.pem"), "ns-orders.pem", "[localhost 127.0.0.1] [spiffe://dev.local/shop]"} {
		if !strings.Contains(out, want) {
			t.Errorf("want it to print %q, have %s", want, out)
		}
	}
	for file, want := range map[string]os.FileMode{"ca-key.pem": 0o600, "shop-key.pem": 0o600, "ns-orders-key.pem": 0o600, "ca.pem": 0o644, "shop.pem": 0o644} {
		if info, err := os.Stat(filepath.Join(dir, file)); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: want %v, have %v, %v", file, want, info, err)
		}
	}
	shop := source(t, dir, "shop")
	server, err := tlsconfig.Server(shop, tlsconfig.ServerAllowIDs("spiffe://dev.local/ns/orders"))
	if err != nil {
		t.Fatal(err)
	}
	client, err := tlsconfig.Client(source(t, dir, "ns-orders"), tlsconfig.ClientAllowIDs("spiffe://dev.local/shop"), tlsconfig.ClientServerName("127.0.0.1"))
	if err != nil {
		t.Fatal(err)
	}
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	served := make(chan error, 1)
	go func() { served <- tls.Server(b, server).Handshake() }()
	if err := tls.Client(a, client).Handshake(); err != nil {
		t.Error(err)
	}
	if err := <-served; err != nil {
		t.Error(err)
	}

	before := shop.Status()
	authority, err := os.ReadFile(filepath.Join(dir, "ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	if out := devcerts(t, args...); !strings.HasPrefix(out, "found ") || strings.Contains(out, "a new authority") {
		t.Errorf("want the authority to be found, have %s", out)
	}
	again, err := os.ReadFile(filepath.Join(dir, "ca.pem"))
	if err != nil || !bytes.Equal(authority, again) {
		t.Errorf("want the authority to stay, have another one, %v", err)
	}
	if err := shop.Reload(); err != nil || shop.Status().SerialNumber == before.SerialNumber {
		t.Errorf("want a renewed certificate, have %+v, %v", shop.Status(), err)
	}
	if left, err := filepath.Glob(filepath.Join(dir, ".new-*")); err != nil || len(left) > 0 {
		t.Errorf("want nothing left over, have %v, %v", left, err)
	}
}

func TestTheAuthorityVouchesForNoOther(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	devcerts(t, "-dir", dir)
	authority, err := authorityIn(dir, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if c := authority.Certificate; !c.IsCA || c.MaxPathLen != 0 || !c.MaxPathLenZero {
		t.Errorf("want a path of no further authorities, have %d, %v", c.MaxPathLen, c.MaxPathLenZero)
	}
}

func TestAnAuthorityIsNeverReplaced(t *testing.T) {
	t.Parallel()
	for name, broken := range map[string]func(cert, key string) error{
		"no key":         func(_, key string) error { return os.Remove(key) },
		"no certificate": func(cert, _ string) error { return os.Remove(cert) },
		"garbage":        func(cert, _ string) error { return os.WriteFile(cert, []byte("garbage"), 0o600) },
	} {
		dir := t.TempDir()
		devcerts(t, "-dir", dir)
		cert, key := paths(dir, authorityName)
		if err := broken(cert, key); err != nil {
			t.Fatal(err)
		}
		if err := run([]string{"-dir", dir}, io.Discard, io.Discard); err == nil || !strings.Contains(err.Error(), "to have a new") {
			t.Errorf("%s: want an error that says what to do, have %v", name, err)
		}
	}
}

func TestWrongFlagsAreNamed(t *testing.T) {
	t.Parallel()
	for want, args := range map[string][]string{
		"what is":        {"x"},
		"-for":           {"-for", "1s"},
		"-for 9000h0m0s": {"-for", "9000h"},
		"-hosts":         {"-hosts", "a,,b"},
		"no address":     {"-hosts", "https://a"},
		"-spiffe":        {"-spiffe", "shop"},
		`""`:             {"-spiffe", "spiffe://dev.local"},
		`"ca"`:           {"-spiffe", "spiffe://dev.local/ca"},
		`"ca-key"`:       {"-name", "ca-key"},
		`"CA"`:           {"-name", "CA"},
		`"Ca"`:           {"-spiffe", "spiffe://dev.local/Ca"},
		`"cA-KEY"`:       {"-name", "cA-KEY"},
		"A-B would":      {"-spiffe", "spiffe://dev.local/a/b", "-spiffe", "spiffe://dev.local/A-B"},
		`"../x"`:         {"-name", "../x"},
		"same files":     {"-spiffe", "spiffe://dev.local/a/b", "-spiffe", "spiffe://dev.local/a-b"},
	} {
		if err := run(append([]string{"-dir", t.TempDir()}, args...), io.Discard, io.Discard); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: want an error with %q, have %v", args, want, err)
		}
	}
}
