package testserver_test

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/ashlar-go/ashlar/internal/testserver"
)

func TestAClusterOfEtcdHasOneLeader(t *testing.T) {
	t.Parallel()
	leaders := make(map[string]bool)
	for _, m := range testserver.StartEtcdCluster(t, 3) {
		leaders[status(t, m.Endpoint)] = true
	}
	if len(leaders) != 1 || leaders[""] {
		t.Errorf("want one leader, have %v", leaders)
	}
}

func TestEtcdServesAgainOnTheSamePort(t *testing.T) {
	t.Parallel()
	m := testserver.StartEtcd(t)
	leader := status(t, m.Endpoint)
	m.Kill()
	m.Start()
	if have := status(t, m.Endpoint); leader == "" || have != leader {
		t.Errorf("want the same member %s, have %s", leader, have)
	}
}

// status returns who the leader is in the eyes of a member of a cluster of etcd.
func status(t *testing.T, endpoint string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+endpoint+"/v3/maintenance/status", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	request.Close = true
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), `"leader":"`)
	leader, _, _ := strings.Cut(rest, `"`)
	return leader
}

func TestZooKeeperServesAgainOnTheSamePort(t *testing.T) {
	t.Parallel()
	z := testserver.StartZooKeeper(t, "maxClientCnxns=7")
	z.Kill()
	z.Start()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", z.Address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Write([]byte("conf")); err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(conn); err != nil || !bytes.Contains(text, []byte("maxClientCnxns=7")) {
		t.Errorf("want the configuration given, have %s, %v", text, err)
	}
}

func TestAProxyIsCutAndRestored(t *testing.T) {
	t.Parallel()
	s := testserver.StartNATS(t)
	p := testserver.StartProxy(t, strings.TrimPrefix(s.URL, "nats://"))
	first := dial(t, p.Address)
	if line, err := first.ReadString('\n'); err != nil {
		t.Fatalf("want the server's greeting, have %q, %v", line, err)
	}
	p.Cut()
	if line, err := first.ReadString('\n'); err == nil {
		t.Errorf("cut: want an end, have %q", line)
	}
	if line, err := dial(t, p.Address).ReadString('\n'); err == nil {
		t.Errorf("cut: want no greeting, have %q", line)
	}
	p.Restore()
	if line, err := dial(t, p.Address).ReadString('\n'); err != nil {
		t.Errorf("restored: want the server's greeting, have %q, %v", line, err)
	}
}

func dial(t *testing.T, address string) *bufio.Reader {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return bufio.NewReader(conn)
}

func TestAnOIDCProviderHasAnotherKeyWhenItIsStartedAgain(t *testing.T) {
	t.Parallel()
	s := testserver.StartOIDC(t)
	first := page(t, s.Issuer+"/keys")
	s.Kill()
	s.Start()
	if second := page(t, s.Issuer+"/keys"); first == second || first == "" {
		t.Errorf("want another key, have %s, %s", first, second)
	}
}

// page returns what a server has there.
func page(t *testing.T, url string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	request.Close = true
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("HTTP %d: %v", response.StatusCode, err)
	}
	return string(text)
}
