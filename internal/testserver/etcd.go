package testserver

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"testing"
)

// Etcd is a member of a cluster of etcd. It keeps its ports and its data when it is stopped or killed and started again.
type Etcd struct {
	*Process

	// Endpoint is where clients connect to: host:port, without TLS.
	Endpoint string
}

// StartEtcd starts an etcd that is a cluster of its own. The args come after those that are needed.
func StartEtcd(t testing.TB, args ...string) *Etcd {
	t.Helper()
	return StartEtcdCluster(t, 1, args...)[0]
}

// StartEtcdCluster starts a cluster of so many members, and waits until each of them serves.
func StartEtcdCluster(t testing.TB, members int, args ...string) []*Etcd {
	t.Helper()
	program := Installed(t, "etcd-server", "etcd")
	return startServers(t, "etcd", func() []*Etcd { return newEtcd(t, program, members, args) })
}

func newEtcd(t testing.TB, program string, n int, args []string) []*Etcd {
	t.Helper()
	const each = 2
	ports := freePorts(t, n*each)
	members := make([]*Etcd, n)
	peers := make([]string, n)
	for i := range peers {
		peers[i] = fmt.Sprintf("m%d=http://127.0.0.1:%d", i, ports[i*each+1])
	}
	for i := range members {
		name, peer, _ := strings.Cut(peers[i], "=")
		m := &Etcd{Endpoint: "127.0.0.1:" + strconv.Itoa(ports[i*each])}
		client := "http://" + m.Endpoint
		dir := t.TempDir()
		m.Process = newProcess(t, "etcd-"+name, dir, append([]string{
			program, "--name=" + name, "--data-dir=" + dir + "/data",
			"--listen-client-urls=" + client, "--advertise-client-urls=" + client,
			"--listen-peer-urls=" + peer, "--initial-advertise-peer-urls=" + peer, "--initial-cluster=" + strings.Join(peers, ","),
			// Much shorter than by default, so that a leader is found soon, and long enough for a busy machine.
			"--heartbeat-interval=50", "--election-timeout=500",
		}, args...), m.healthy)
		members[i] = m
	}
	return members
}

// healthy asks the member for its health, which takes a read that a majority agrees to.
func (e *Etcd) healthy(ctx context.Context) error {
	_, err := get(ctx, "http://"+e.Endpoint+"/health")
	return err
}
