package redislimit_test

import (
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/ashlar-go/ashlar/ratelimit"
	redislimit "github.com/ashlar-go/ashlar/ratelimit/redis"
)

func TestMistakesAreNamed(t *testing.T) {
	t.Parallel()
	good := newClient(t, "127.0.0.1:0")
	deaf := redis.NewClient(&redis.Options{})
	defer deaf.Close()
	deafCluster := redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{"127.0.0.1:0"}})
	defer deafCluster.Close()
	deafRing := redis.NewRing(&redis.RingOptions{Addrs: map[string]string{"a": "127.0.0.1:0"}})
	defer deafRing.Close()
	limit := ratelimit.PerSecond(10)
	try := func(client redis.UniversalClient, name string, limit ratelimit.Limit, fallback redislimit.Fallback, opts ...redislimit.Option) error {
		l, err := redislimit.New(client, name, limit, fallback, opts...)
		if err == nil {
			l.Close()
		}
		return err
	}
	withOption := func(o redislimit.Option) error { return try(good, "a", limit, redislimit.Refuse(), o) }
	for want, err := range map[string]error{
		"New: the client is nil":                 try(nil, "a", limit, redislimit.Refuse()),
		"ContextTimeoutEnabled":                  try(deaf, "a", limit, redislimit.Refuse()),
		"make it with ContextTimeoutEnabled":     try(deafCluster, "a", limit, redislimit.Refuse()),
		"for a Redis that hangs: make it":        try(deafRing, "a", limit, redislimit.Refuse()),
		"the client ignores deadlines":           try(deaf, "a", limit, redislimit.Refuse()),
		"redislimit: New: the client is nil":     try((*redis.Client)(nil), "a", limit, redislimit.Refuse()),
		"New: LocalShare(4): LocalMaxKeys(0): w": try(good, "a", limit, redislimit.LocalShare(4, ratelimit.LocalMaxKeys(0))),
		"the name is empty":                      try(good, "", limit, redislimit.Refuse()),
		`"ratelimit:a{b" has braces`:             try(good, "a{b", limit, redislimit.Refuse()),
		`"}a" has braces`:                        try(good, "a", limit, redislimit.Refuse(), redislimit.Prefix("}")),
		"a limit of 0 events":                    try(good, "a", ratelimit.Limit{}, redislimit.Refuse()),
		"there is no fallback":                   try(good, "a", limit, redislimit.Fallback{}),
		"LocalShare(0): want 1":                  try(good, "a", limit, redislimit.LocalShare(0)),
		"LocalShare(-1): want 1":                 try(good, "a", limit, redislimit.LocalShare(-1)),
		"LocalShare(9000000000000000): want":     try(good, "a", limit, redislimit.LocalShare(9e15)),
		"Timeout(0s): want 1ms to 10s":           withOption(redislimit.Timeout(0)),
		"Interval(1ms): want 10ms to 1m0s":       withOption(redislimit.Interval(time.Millisecond)),
		"OnEvent: the function is nil":           withOption(redislimit.OnEvent(nil)),
		"Log: the logger is nil":                 withOption(redislimit.Log(nil)),
		"the list of options: function 0 is nil": withOption(nil),
	} {
		if err == nil || !strings.HasPrefix(err.Error(), "redislimit: New: ") || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, have %v", want, err)
		}
	}
}

func TestWhatIsPrinted(t *testing.T) {
	t.Parallel()
	for want, have := range map[string]interface{ String() string }{
		"refuse": redislimit.Refuse(), "allow": redislimit.Allow(), "local share of 1/4": redislimit.LocalShare(4), "none": redislimit.Fallback{},
		"gone": redislimit.Gone, "back": redislimit.Back, "unknown": redislimit.EventKind(0),
	} {
		if have := have.String(); want != have {
			t.Errorf("want %q, have %q", want, have)
		}
	}
}
