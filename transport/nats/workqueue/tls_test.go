package workqueue_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/ashlar-go/ashlar/internal/testserver"
	"github.com/ashlar-go/ashlar/transport"
)

// certificate writes a certificate for loopback, and its key.
func certificate(t *testing.T) (file, key string, pool *x509.CertPool) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write := func(name, kind string, data []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: data}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	pool = x509.NewCertPool()
	pool.AddCert(parsed)
	return write("cert.pem", "CERTIFICATE", der), write("key.pem", "PRIVATE KEY", encoded), pool
}

func TestTheEndpointKnowsOfTheEncryption(t *testing.T) {
	t.Parallel()
	file, key, pool := certificate(t)
	q := &queue{t: t, NATS: testserver.StartNATS(t, fmt.Sprintf("tls: {cert_file: %q, key_file: %q}", file, key))}
	q.JetStream = q.connect(nats.Secure(&tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS13}))
	q.stream("JOBS", "jobs.>")
	q.put(1)
	seen := make(chan *tls.ConnectionState, 1)
	q.serve(func(ctx context.Context, _ *job) error { seen <- transport.FromContext(ctx).TLS; return nil })
	if state := receive(t, "the job", seen); state == nil || state.Version != tls.VersionTLS13 {
		t.Errorf("want TLS 1.3, have %+v", state)
	}
}
