package testserver

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// Consul is a Consul agent that is the only server of its datacenter. It keeps its ports and its data when it is stopped or killed and
// started again.
type Consul struct {
	*Process

	// Address is the "host:port" of its HTTP API.
	Address string
	// WAN is the "host:port" at which servers of other datacenters join it.
	WAN string

	dir string
}

// StartConsul starts a Consul agent. What config says, each in HCL, comes on top of what is needed.
func StartConsul(t testing.TB, config ...string) *Consul {
	t.Helper()
	program := Program(t, "consul")
	const attempts = 5
	for attempt := 1; ; attempt++ {
		s := newConsul(t, program, config)
		err := s.start()
		if err == nil {
			return s
		}
		taken := strings.Contains(s.tail(), "address already in use")
		s.Stop()
		if !taken || attempt == attempts {
			t.Fatalf("testserver: consul: %v\n%s", err, s.tail())
		}
	}
}

func newConsul(t testing.TB, program string, config []string) *Consul {
	t.Helper()
	ports := freePorts(t, 4)
	s := &Consul{
		Address: "127.0.0.1:" + strconv.Itoa(ports[0]),
		WAN:     "127.0.0.1:" + strconv.Itoa(ports[3]),
		dir:     t.TempDir(),
	}
	args := []string{program, "agent"}
	for _, line := range append([]string{
		`server = true`, `bootstrap_expect = 1`, `node_name = "test"`, `bind_addr = "127.0.0.1"`, `client_addr = "127.0.0.1"`,
		fmt.Sprintf(`ports { http = %d, server = %d, serf_lan = %d, serf_wan = %d, dns = -1, grpc = -1, grpc_tls = -1 }`,
			ports[0], ports[1], ports[2], ports[3]),
		fmt.Sprintf(`data_dir = %q`, s.data()),
		`performance { raft_multiplier = 1 }`, `disable_update_check = true`, `disable_host_node_id = true`, `log_level = "warn"`,
	}, config...) {
		args = append(args, "-hcl="+line)
	}
	s.Process = newProcess(t, "consul", s.dir, args, s.serves)
	return s
}

func (s *Consul) data() string { return filepath.Join(s.dir, "data") }

// Forget takes all that the server knows from it, which is stopped before and started after it.
func (s *Consul) Forget() {
	s.t.Helper()
	if s.running() {
		s.t.Fatal("testserver: consul runs, and forgets nothing")
	}
	if err := os.RemoveAll(s.data()); err != nil {
		s.t.Fatal(err)
	}
}

// serves writes a key, which takes a leader.
func (s *Consul) serves(ctx context.Context) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPut, "http://"+s.Address+"/v1/kv/ready", strings.NewReader("yes"))
	if err != nil {
		return err
	}
	request.Close = true // no connection stays
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err == nil && (response.StatusCode != http.StatusOK || string(text) != "true") {
		err = fmt.Errorf("HTTP %d: %s", response.StatusCode, text)
	}
	return err
}
