package redislimit_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/ashlar-go/ashlar/internal/testserver"
	"github.com/ashlar-go/ashlar/ratelimit"
	redislimit "github.com/ashlar-go/ashlar/ratelimit/redis"
)

// The servers of a cluster each decide on their part of the keys, and all keys have their limits.
func TestAClusterSharesTheKeys(t *testing.T) {
	t.Parallel()
	servers := testserver.StartRedisCluster(t, 3)
	client := newClusterClient(t, servers)
	l := newLimiter(t, client, ratelimit.Limit{Events: 1, Period: hour, Burst: 3}, redislimit.Refuse(), unhurried())
	owners := make(map[*testserver.Redis]int)
	for _, format := range []string{"key-%d", "a}b{%d", "{%d", "{}%d", "{same}%d"} {
		for n := range 10 {
			key := fmt.Sprintf(format, n)
			for i := range 4 {
				if want, have := i < 3, take(t, l, key, 1).Allowed; want != have {
					t.Errorf("%s: want %t for number %d, have %t", key, want, i, have)
				}
			}
		}
	}
	for _, s := range servers {
		keys, err := newClient(t, s.Address).Keys(t.Context(), "ratelimit:test:{*}").Result()
		if err != nil {
			t.Fatal(err)
		}
		owners[s] = len(keys)
		if len(keys) == 0 || len(keys) > 40 {
			t.Errorf("want a part of the 50 keys, have %d", len(keys))
		}
	}
	if s := l.Status(); s.Outages != 0 {
		t.Errorf("want no outage, have %+v", s)
	}
}

// A primary becomes a replica of what was its own, and the address that clients know leads to that: as cloud services fail over.
func TestAFailoverToAReplicaKeepsTheCounts(t *testing.T) {
	t.Parallel()
	primary := testserver.StartRedis(t)
	replica := testserver.StartRedisReplica(t, primary)
	proxy := testserver.StartProxy(t, primary.Address)
	client := newClient(t, proxy.Address)
	w := new(witness)
	l := newLimiter(t, client, ratelimit.Limit{Events: 1, Period: hour, Burst: 10}, redislimit.Refuse(), w.options()...)
	warm(t, l)
	remaining := take(t, l, "key", 3).Remaining
	await(t, "the replica to have the state", func() bool {
		want, err := primary.Command(t.Context(), "GET", "ratelimit:test:{key}")
		if err != nil {
			t.Fatal(err)
		}
		have, err := replica.Command(t.Context(), "GET", "ratelimit:test:{key}")
		return err == nil && want == have
	})
	must(t, replica, "REPLICAOF", "NO", "ONE")
	must(t, primary, "REPLICAOF", "127.0.0.1", portOf(replica))
	await(t, "the old primary to refuse to write", func() bool {
		try(t, l, "key", 1)
		return l.Status().Gone
	})
	if err := l.Status().Err; !redis.IsReadOnlyError(err) {
		t.Logf("Redis is gone since %v", err) // the first may be of a connection that broke off
	}
	proxy.Redirect(replica.Address)
	await(t, "the new primary", func() bool { return !l.Status().Gone })
	if d := take(t, l, "key", 1); !d.Allowed || d.Remaining != remaining-1 {
		t.Errorf("want the new primary to go on from %d, have %+v", remaining, d)
	}
	if events, _ := w.seen(); len(events) != 2 {
		t.Errorf("want one outage, have %+v", events)
	}
}

func TestAFailoverBySentinelsKeepsTheCounts(t *testing.T) {
	t.Parallel()
	primary := testserver.StartRedis(t)
	replica := testserver.StartRedisReplica(t, primary)
	sentinel := testserver.StartRedisSentinel(t, primary)
	client := redis.NewFailoverClient(&redis.FailoverOptions{
		MasterName: "main", SentinelAddrs: []string{sentinel.Address}, ContextTimeoutEnabled: true,
	})
	t.Cleanup(func() { client.Close() })
	l := newLimiter(t, client, ratelimit.Limit{Events: 1, Period: hour, Burst: 10}, redislimit.Refuse())
	warm(t, l)
	remaining := take(t, l, "key", 3).Remaining
	await(t, "the replica to have the state", func() bool {
		state, err := replica.Command(t.Context(), "GET", "ratelimit:test:{key}")
		return err == nil && state != ""
	})
	began := time.Now()
	primary.Kill()
	await(t, "an outage", func() bool {
		try(t, l, "key", 1)
		return l.Status().Gone
	})
	await(t, "the new primary", func() bool { return !l.Status().Gone })
	t.Logf("the new primary decides after %v", time.Since(began))
	if d := take(t, l, "key", 1); !d.Allowed || d.Remaining != remaining-1 {
		t.Errorf("want the new primary to go on from %d, have %+v", remaining, d)
	}
}
