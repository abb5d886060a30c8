package redislimit_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/ashlar-go/ashlar/internal/testserver"
	"github.com/ashlar-go/ashlar/ratelimit"
	"github.com/ashlar-go/ashlar/ratelimit/ratelimittest"
	redislimit "github.com/ashlar-go/ashlar/ratelimit/redis"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		client   redis.UniversalClient
		fallback redislimit.Fallback
		outages  uint64 // of each limiter
	}{
		"a server":     {newClient(t, testserver.StartRedis(t).Address), redislimit.Refuse(), 0},
		"a cluster":    {newClusterClient(t, testserver.StartRedisCluster(t, 3)), redislimit.Refuse(), 0},
		"a share of 1": {newClosedClient(t), redislimit.LocalShare(1), 1}, // which is all of it
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var made atomic.Int64
			var all []*redislimit.Limiter
			ratelimittest.Run(t, ratelimittest.Harness{
				Period: 500 * time.Millisecond, Precision: time.Microsecond,
				New: func(limit ratelimit.Limit) (ratelimit.Limiter, error) {
					l, err := redislimit.New(row.client, fmt.Sprint("conformance-", made.Add(1)), limit, row.fallback, unhurried())
					if err == nil {
						all = append(all, l)
						t.Cleanup(l.Close)
					}
					return l, err
				},
			})
			for _, l := range all {
				if s := l.Status(); s.Outages != row.outages {
					t.Errorf("%s: want %d outages, have %+v", s.Name, row.outages, s)
				}
			}
		})
	}
}
