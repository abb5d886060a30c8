package redislimit_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/ashlar-go/ashlar/internal/testserver"
)

// absence is a Redis that goes away in some way, and comes back.
type absence struct {
	client     redis.UniversalClient
	away, back func()
}

// absences are the ways.
func absences() map[string]func(t *testing.T) absence {
	return map[string]func(t *testing.T) absence{
		"it is ended, and its port refuses": ended,
		"it is killed":                      killed,
		"it hangs":                          hanging,
		"connections break off":             cutOff,
		"it is a replica":                   readOnly,
		"it reads its data":                 loading,
		"a part of the cluster is down":     partDown,
		"the whole cluster is down":         allDown,
	}
}

func ended(t *testing.T) absence {
	t.Helper()
	server := testserver.StartRedis(t)
	return absence{newClient(t, server.Address), server.Stop, server.Start}
}

func killed(t *testing.T) absence {
	t.Helper()
	server := testserver.StartRedis(t)
	return absence{newClient(t, server.Address), server.Kill, server.Start}
}

func hanging(t *testing.T) absence {
	t.Helper()
	server := testserver.StartRedis(t)
	return absence{newClient(t, server.Address), server.Suspend, server.Resume}
}

func cutOff(t *testing.T) absence {
	t.Helper()
	proxy := testserver.StartProxy(t, testserver.StartRedis(t).Address)
	return absence{newClient(t, proxy.Address), proxy.Cut, proxy.Restore}
}

func readOnly(t *testing.T) absence {
	t.Helper()
	server := testserver.StartRedis(t)
	return absence{
		newClient(t, server.Address),
		func() { must(t, server, "REPLICAOF", "127.0.0.1", "1") }, // where nobody listens
		func() { must(t, server, "REPLICAOF", "NO", "ONE") },
	}
}

// loading is a Redis that reads its data again, slowly, until the delay is set to nothing.
func loading(t *testing.T) absence {
	t.Helper()
	server := testserver.StartRedis(t, "--enable-debug-command", "yes", "--loading-process-events-interval-bytes", "1024")
	client := newClient(t, server.Address)
	return absence{client: client, away: func() {
		const keys = 2000
		pipe := client.Pipeline()
		for n := range keys {
			pipe.Set(t.Context(), fmt.Sprint("data-", n), strings.Repeat("x", 1024), 0)
		}
		pipe.ConfigSet(t.Context(), "key-load-delay", "10000") // in microseconds
		if _, err := pipe.Exec(t.Context()); err != nil {
			t.Fatal(err)
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			_, _ = server.Command(t.Context(), "DEBUG", "RELOAD")
		}()
		t.Cleanup(func() { <-done })
		await(t, "a Redis that reads its data", func() bool {
			_, err := server.Command(t.Context(), "PING")
			return err != nil && strings.HasPrefix(err.Error(), "LOADING ")
		})
	}, back: func() { must(t, server, "CONFIG", "SET", "key-load-delay", "0") }}
}

// partDown is a cluster that has lost the server of the key.
func partDown(t *testing.T) absence {
	t.Helper()
	servers := testserver.StartRedisCluster(t, 3)
	client := newClusterClient(t, servers)
	owner := ownerOf(t, client, servers, "key")
	return absence{client, owner.Kill, owner.Start}
}

// allDown is a cluster that refuses all since a part of it, which has other keys, is down.
func allDown(t *testing.T) absence {
	t.Helper()
	servers := testserver.StartRedisCluster(t, 3)
	client := newClusterClient(t, servers)
	other := servers[0]
	if ownerOf(t, client, servers, "key") == other {
		other = servers[1]
	}
	return absence{client: client, away: func() {
		other.Kill()
		await(t, "a cluster that is down", func() bool {
			err := client.Set(t.Context(), "ratelimit:test:{key}probe", "", time.Millisecond).Err()
			return err != nil && strings.HasPrefix(err.Error(), "CLUSTERDOWN ")
		})
	}, back: other.Start}
}

func must(t *testing.T, server *testserver.Redis, words ...string) {
	t.Helper()
	if answer, err := server.Command(t.Context(), words...); err != nil {
		t.Fatalf("%v: %s, %v", words, answer, err)
	}
}

func portOf(server *testserver.Redis) string {
	_, port, _ := strings.Cut(server.Address, ":")
	return port
}

func newClusterClient(t *testing.T, servers []*testserver.Redis) *redis.ClusterClient {
	t.Helper()
	options := &redis.ClusterOptions{ContextTimeoutEnabled: true}
	for _, s := range servers {
		options.Addrs = append(options.Addrs, s.Address)
	}
	c := redis.NewClusterClient(options)
	t.Cleanup(func() { c.Close() })
	return c
}

// ownerOf returns the server of the cluster that has the state of a key.
func ownerOf(t *testing.T, client *redis.ClusterClient, servers []*testserver.Redis, key string) *testserver.Redis {
	t.Helper()
	node, err := client.MasterForKey(t.Context(), "ratelimit:test:{"+key+"}")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range servers {
		if s.Address == node.Options().Addr {
			return s
		}
	}
	t.Fatalf("no server is %s", node.Options().Addr)
	return nil
}
