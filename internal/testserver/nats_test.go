package testserver_test

import (
	"bufio"
	"net"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/ashlar-go/ashlar/internal/testserver"
)

// greeting connects to the server, and returns the line with which it begins.
func greeting(t *testing.T, s *testserver.NATS) (string, error) {
	t.Helper()
	conn, err := (&net.Dialer{Timeout: time.Second}).DialContext(t.Context(), "tcp", strings.TrimPrefix(s.URL, "nats://"))
	if err != nil {
		return "", err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(time.Second)); err != nil {
		t.Fatal(err)
	}
	return bufio.NewReader(conn).ReadString('\n')
}

func TestAServerServesUntilItIsEndedAndAgainOnTheSamePort(t *testing.T) {
	t.Parallel()
	s := testserver.StartNATS(t, "max_payload: 4096")
	end := map[string]func(){"stop": s.Stop, "kill": s.Kill}
	for name, f := range end {
		if line, err := greeting(t, s); err != nil || !strings.Contains(line, `"jetstream":true`) || !strings.Contains(line, `"max_payload":4096`) {
			t.Errorf("want the greeting of a server with JetStream, have %q, %v", line, err)
		}
		f()
		f() // twice is harmless
		if line, err := greeting(t, s); err == nil {
			t.Errorf("%s: want no server, have %q", name, line)
		}
		s.Start()
	}
	s.Suspend()
	if line, err := greeting(t, s); err == nil {
		t.Errorf("suspended: want no greeting, have %q", line)
	}
	s.Resume()
	if _, err := greeting(t, s); err != nil {
		t.Errorf("resumed: %v", err)
	}
}

func TestAClusterKnowsItsServers(t *testing.T) {
	t.Parallel()
	servers := testserver.StartNATSCluster(t, 3)
	for _, s := range servers {
		line, err := greeting(t, s)
		for _, other := range servers {
			if err != nil || !strings.Contains(line, strings.TrimPrefix(other.URL, "nats://")) {
				t.Errorf("want %s among the servers, have %s, %v", other.URL, line, err)
			}
		}
	}
}

func TestProgramsRun(t *testing.T) {
	t.Parallel()
	for name, version := range map[string]string{"nats-server": "-v", "nats": "--version", "grpcurl": "-version"} {
		if text, err := exec.CommandContext(t.Context(), testserver.Program(t, name), version).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", name, err, text)
		}
	}
}
