package testserver_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ashlar-go/ashlar/internal/testserver"
)

func TestRedisServesAgainOnTheSamePort(t *testing.T) {
	t.Parallel()
	s := testserver.StartRedis(t, "--maxclients", "77")
	for _, end := range []func(){s.Stop, s.Kill} {
		redisIs(t, s, "OK", "SET", "a", "b")
		redisIs(t, s, "b", "GET", "a")
		end()
		if answer, err := s.Command(t.Context(), "PING"); err == nil {
			t.Errorf("want no server, have %s", answer)
		}
		s.Start()
		redisIs(t, s, "", "GET", "a")
		if answer, err := s.Command(t.Context(), "INFO", "clients"); err != nil || !strings.Contains(answer, "maxclients:77") {
			t.Errorf("want the arguments given, have %s, %v", answer, err)
		}
	}
}

func TestAReplicaOfRedisHasWhatItsPrimaryHas(t *testing.T) {
	t.Parallel()
	primary := testserver.StartRedis(t)
	redisIs(t, primary, "OK", "SET", "a", "b")
	replica := testserver.StartRedisReplica(t, primary)
	redisIs(t, replica, "b", "GET", "a")
	if _, err := replica.Command(t.Context(), "SET", "a", "c"); err == nil || !strings.HasPrefix(err.Error(), "READONLY ") {
		t.Errorf("want a replica to refuse writes, have %v", err)
	}
	redisIs(t, replica, "OK", "REPLICAOF", "NO", "ONE")
	redisIs(t, replica, "OK", "SET", "a", "c")
}

func TestAClusterOfRedisSharesItsSlots(t *testing.T) {
	t.Parallel()
	servers := testserver.StartRedisCluster(t, 3)
	owners := 0
	for n := range 30 {
		key, taken := strconv.Itoa(n), 0
		for i, s := range servers {
			switch _, err := s.Command(t.Context(), "SET", key, "x"); {
			case err == nil:
				taken++
				owners |= 1 << i
			case !strings.HasPrefix(err.Error(), "MOVED "):
				t.Error(err)
			}
		}
		if taken != 1 {
			t.Errorf("want one server for each key, have %d", taken)
		}
	}
	if owners != 1<<len(servers)-1 {
		t.Errorf("want keys on each of the servers, have them on %b", owners)
	}
	servers[1].Kill()
	servers[1].Start() // and is part of the cluster again
}

func TestASentinelPutsAReplicaInThePlaceOfItsPrimary(t *testing.T) {
	t.Parallel()
	primary := testserver.StartRedis(t)
	replica := testserver.StartRedisReplica(t, primary)
	testserver.StartRedisSentinel(t, primary)
	primary.Kill()
	limit := time.NewTimer(20 * time.Second)
	defer limit.Stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		_, err := replica.Command(t.Context(), "SET", "a", "b")
		if err == nil {
			return
		}
		select {
		case <-limit.C:
			t.Fatalf("the replica is one still: %v", err)
		case <-tick.C:
		}
	}
}

// redisIs sends a command and compares the answer.
func redisIs(t *testing.T, s *testserver.Redis, want string, words ...string) {
	t.Helper()
	if have, err := s.Command(t.Context(), words...); err != nil || have != want {
		t.Errorf("%v: want %q, have %q, %v", words, want, have, err)
	}
}
