package testserver

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"testing"
)

// Kubernetes is an API server of Kubernetes, and the etcd that it stores in. There are no nodes and no controllers: nothing makes the
// EndpointSlices of a service but who writes them. It keeps its port and its data when it is stopped or killed and started again.
type Kubernetes struct {
	*Process

	// URL is where clients connect to.
	URL string
	// CAFile has the certificate by which they know the server, in PEM.
	CAFile string
	// Admin is the token of somebody who may do everything.
	Admin string
	// Nobody is the token of a user of that name, who has no rights.
	Nobody string
	// Etcd is the store.
	Etcd *Etcd
}

// StartKubernetes starts an API server, with an etcd. The args come after those that are needed.
func StartKubernetes(t testing.TB, args ...string) *Kubernetes {
	t.Helper()
	program := Program(t, "kube-apiserver")
	etcd := StartEtcd(t)
	prepare := func() []*Kubernetes { return []*Kubernetes{newKubernetes(t, program, etcd, args)} }
	return startServers(t, "kube-apiserver", prepare)[0]
}

func newKubernetes(t testing.TB, program string, etcd *Etcd, args []string) *Kubernetes {
	t.Helper()
	dir := t.TempDir()
	port := strconv.Itoa(freePorts(t, 1)[0])
	k := &Kubernetes{
		URL: "https://127.0.0.1:" + port, CAFile: filepath.Join(dir, "apiserver.crt"),
		Admin: rand.Text(), Nobody: rand.Text(), Etcd: etcd,
	}
	key := filepath.Join(dir, "accounts.key")
	tokens := filepath.Join(dir, "tokens.csv")
	files := map[string][]byte{
		key:    privateKey(t),
		tokens: fmt.Appendf(nil, "%s,admin,admin,system:masters\n%s,nobody,nobody\n", k.Admin, k.Nobody),
	}
	for name, data := range files {
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	k.Process = newProcess(t, "kube-apiserver", dir, append([]string{
		program, "--etcd-servers=http://" + etcd.Endpoint,
		"--bind-address=127.0.0.1", "--advertise-address=127.0.0.1", "--secure-port=" + port, "--cert-dir=" + dir,
		"--service-cluster-ip-range=10.0.0.0/24", "--endpoint-reconciler-type=none", "--profiling=false",
		"--service-account-issuer=https://127.0.0.1", "--service-account-key-file=" + key, "--service-account-signing-key-file=" + key,
		"--token-auth-file=" + tokens, "--authorization-mode=RBAC", "--disable-admission-plugins=ServiceAccount",
	}, args...), k.serving)
	return k
}

// privateKey returns a key in PEM.
func privateKey(t testing.TB) []byte {
	t.Helper()
	const bits = 2048
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
}

// serving asks the server whether it is ready, and has the namespace that it makes after that.
func (k *Kubernetes) serving(ctx context.Context) error {
	data, err := os.ReadFile(k.CAFile) // the server makes it
	if err != nil {
		return err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(data) {
		return errors.New("its certificate is not written yet")
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}}
	for _, page := range []string{"/readyz", "/api/v1/namespaces/default"} {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, k.URL+page, nil)
		if err != nil {
			return err
		}
		request.Header.Set("Authorization", "Bearer "+k.Admin)
		if _, err := read(client, request); err != nil {
			return err
		}
	}
	return nil
}
