package testserver

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

const (
	redisSlots  = 16384
	sentinelFor = "main" // what Sentinels call the primary
)

// StartRedisCluster starts so many servers, which share the slots of a cluster evenly and have no replicas, and waits until each of them
// knows. It is down, as a whole, while one of them is.
func StartRedisCluster(t testing.TB, primaries int) []*Redis {
	t.Helper()
	program := redisServer(t)
	buses := make([]string, primaries) // the ports by which they speak to each other
	servers := startServers(t, "redis", func() []*Redis {
		ports := freePorts(t, 2*primaries)
		all := make([]*Redis, primaries)
		for i := range all {
			dir, address := t.TempDir(), loopback(ports[i])
			buses[i] = strconv.Itoa(ports[primaries+i])
			all[i] = newRedis(t, "redis-"+strconv.Itoa(i), dir, address, append([]string{program}, redisArgs(dir, address, []string{
				"--cluster-enabled", "yes", "--cluster-port", buses[i], "--cluster-node-timeout", "2000",
			})...))
		}
		return all
	})
	for i, s := range servers {
		s.must(t, "CLUSTER", "ADDSLOTSRANGE", strconv.Itoa(redisSlots*i/primaries), strconv.Itoa(redisSlots*(i+1)/primaries-1))
		s.must(t, "CLUSTER", "SET-CONFIG-EPOCH", strconv.Itoa(i+1)) // while it knows no other
	}
	host, port, _ := strings.Cut(servers[0].Address, ":")
	for _, s := range servers[1:] {
		s.must(t, "CLUSTER", "MEET", host, port, buses[0])
	}
	for _, s := range servers {
		s.ready = func(ctx context.Context) error { return s.joined(ctx, primaries) }
		if err := s.await(); err != nil {
			t.Fatalf("testserver: redis: %v\n%s", err, s.tail())
		}
	}
	return servers
}

// StartRedisSentinel starts a Sentinel that watches a primary, which it calls "main", and its replicas. It alone decides that a primary is
// down, when that has not answered for half a second, and puts a replica in its place.
func StartRedisSentinel(t testing.TB, primary *Redis) *Redis {
	t.Helper()
	program := redisServer(t)
	return startServers(t, "redis-sentinel", func() []*Redis {
		dir, address := t.TempDir(), loopback(freePorts(t, 1)[0])
		path := filepath.Join(dir, "sentinel.conf") // which it writes what it learns into
		host, port, _ := strings.Cut(primary.Address, ":")
		config := fmt.Sprintf("sentinel monitor %[1]s %[2]s %[3]s 1\nsentinel down-after-milliseconds %[1]s 500\n"+
			"sentinel failover-timeout %[1]s 5000\n", sentinelFor, host, port)
		if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
			t.Fatal(err)
		}
		own, at, _ := strings.Cut(address, ":")
		s := newRedis(t, "redis-sentinel", dir, address, []string{program, path, "--sentinel", "--bind", own, "--port", at, "--dir", dir})
		s.ready = s.watches
		return []*Redis{s}
	})[0]
}

// joined succeeds when the server knows so many nodes of its cluster and all slots are served.
func (r *Redis) joined(ctx context.Context, nodes int) error {
	if err := r.says(ctx, "CLUSTER INFO", "cluster_state:ok"); err != nil {
		return err
	}
	return r.says(ctx, "CLUSTER INFO", "cluster_known_nodes:"+strconv.Itoa(nodes)+"\r")
}

// watches succeeds when a Sentinel has found a replica.
func (r *Redis) watches(ctx context.Context) error { return r.says(ctx, "INFO sentinel", "slaves=1") }

func (r *Redis) must(t testing.TB, words ...string) {
	t.Helper()
	if answer, err := r.Command(t.Context(), words...); err != nil || answer != "OK" {
		t.Fatalf("testserver: %s: %v: %s, %v", r.name, words, answer, err)
	}
}
