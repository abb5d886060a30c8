package testserver

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// NATS is a nats-server with JetStream. It keeps its ports and its data when it is stopped or killed and started again.
type NATS struct {
	*Process

	// URL is where clients connect to.
	URL string

	port, monitor, route int
	cluster              int // how many servers it has
}

// StartNATS starts a nats-server. What config says, in the server's own configuration language, comes on top of what is needed.
func StartNATS(t testing.TB, config ...string) *NATS {
	t.Helper()
	return startNATS(t, 1, config)[0]
}

// StartNATSCluster starts servers nats-servers that are one cluster, and waits until they agree on a leader of their JetStream.
func StartNATSCluster(t testing.TB, servers int, config ...string) []*NATS {
	t.Helper()
	return startNATS(t, servers, config)
}

func startNATS(t testing.TB, n int, config []string) []*NATS {
	t.Helper()
	program := Program(t, "nats-server")
	return startServers(t, "nats-server", func() []*NATS { return newNATS(t, program, n, config) })
}

func newNATS(t testing.TB, program string, n int, config []string) []*NATS {
	t.Helper()
	const each = 3
	ports := freePorts(t, n*each)
	servers := make([]*NATS, n)
	routes := make([]string, n)
	for i := range servers {
		s := &NATS{port: ports[i*each], monitor: ports[i*each+1], route: ports[i*each+2], cluster: n}
		s.URL = "nats://127.0.0.1:" + strconv.Itoa(s.port)
		servers[i] = s
		routes[i] = "nats://127.0.0.1:" + strconv.Itoa(s.route)
	}
	for i, s := range servers {
		dir := t.TempDir()
		name := "n" + strconv.Itoa(i)
		lines := []string{
			"listen: 127.0.0.1:" + strconv.Itoa(s.port),
			"http: 127.0.0.1:" + strconv.Itoa(s.monitor),
			"server_name: " + name,
			fmt.Sprintf("jetstream: {store_dir: %q}", dir),
		}
		if n > 1 {
			lines = append(lines, fmt.Sprintf("cluster: {name: test, listen: \"127.0.0.1:%d\", routes: [%s]}", s.route, strings.Join(routes, ", ")))
		}
		file := filepath.Join(dir, "nats.conf")
		if err := os.WriteFile(file, []byte(strings.Join(append(lines, config...), "\n")+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		s.Process = newProcess(t, "nats-server-"+name, dir, []string{program, "-c", file}, s.healthy)
	}
	return servers
}

// healthy asks the server for its health, which includes its JetStream's, and in a cluster for the others that it knows.
func (s *NATS) healthy(ctx context.Context) error {
	if _, err := s.ask(ctx, "healthz"); err != nil || s.cluster == 1 {
		return err
	}
	text, err := s.ask(ctx, "varz")
	if err != nil {
		return err
	}
	var known struct {
		URLs []string `json:"connect_urls"` //nolint:tagliatelle // the server's name
	}
	if err := json.Unmarshal(text, &known); err != nil {
		return err
	}
	if len(known.URLs) != s.cluster {
		return fmt.Errorf("it knows %d of %d servers", len(known.URLs), s.cluster)
	}
	return nil
}

// ask reads a page of the server's monitor.
func (s *NATS) ask(ctx context.Context, page string) ([]byte, error) {
	return get(ctx, fmt.Sprintf("http://127.0.0.1:%d/%s", s.monitor, page))
}
