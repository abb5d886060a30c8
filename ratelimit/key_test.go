package ratelimit_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/ratelimit"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
)

func TestKeys(t *testing.T) {
	t.Parallel()
	type who struct{ tenant string }
	for name, row := range map[string]struct {
		key         ratelimit.Key
		peers, want []string
		header      transport.HeaderMap
		request     any
	}{
		"peer": {
			key: ratelimit.KeyPeer(), peers: []string{"192.0.2.1:4711", "[2001:db8::1]:80", "[fe80::1%eth0]:80", "odd", ""},
			want: []string{"192.0.2.1", "2001:db8::1", "fe80::1%eth0", "odd", ""},
		},
		"network": {
			key:   ratelimit.KeyPeerNetwork(32, 64),
			peers: []string{"192.0.2.1:1", "[2001:db8:1:2:3:4:5:6]:80", "[::ffff:192.0.2.1]:80", "[fe80::1%eth0]:80", "odd:1", ""},
			want:  []string{"192.0.2.1", "2001:db8:1:2::/64", "192.0.2.1", "fe80::/64", "odd", ""},
		},
		"small network": {
			key: ratelimit.KeyPeerNetwork(24, 128), peers: []string{"192.0.2.77:1", "[2001:db8::0:1]:80", "[fe80::1%eth0]:80"},
			want: []string{"192.0.2.0/24", "2001:db8::1", "fe80::1/128"},
		},
		"header":    {key: ratelimit.KeyHeader("x-api-key"), peers: []string{""}, want: []string{"secret"}, header: transport.HeaderMap{"X-Api-Key": {"secret", "other"}}},
		"no header": {key: ratelimit.KeyHeader("x-api-key"), peers: []string{""}, want: []string{""}},
		"request":   {key: ratelimit.KeyOf(func(w *who) string { return w.tenant }), peers: []string{""}, want: []string{"acme"}, request: &who{"acme"}},
		"function":  {key: ratelimit.KeyFunc(func(context.Context) string { return "ada" }), peers: []string{""}, want: []string{"ada"}},
	} {
		for i, peer := range row.peers {
			ctx, _ := served(t.Context(), peer, row.header)
			have, err := row.key(ctx, row.request)
			if want := row.want[i]; want != have || err != nil {
				t.Errorf("%s, from %q: want %q, have %q, %v", name, peer, want, have, err)
			}
		}
	}
	for name, key := range map[string]ratelimit.Key{"peer": ratelimit.KeyPeer(), "header": ratelimit.KeyHeader("x")} {
		if have, err := key(t.Context(), nil); have != "" || err != nil {
			t.Errorf("%s outside of any call: want none, have %q, %v", name, have, err)
		}
	}
	if _, err := ratelimit.KeyOf(func(*who) string { return "" })(t.Context(), "text"); err == nil {
		t.Error("a request of another type: want an error")
	}
}

// TestWhoseLimit has limits of one call each.
func TestWhoseLimit(t *testing.T) {
	t.Parallel()
	key := ratelimit.KeyHeader("who")
	other := endpoint.Spec{Service: "quarry", Method: "Split"}
	for name, row := range map[string]struct {
		opts []ratelimit.Option
		want map[string]bool // the second call that is allowed, by what differs from the first
	}{
		"one for all":          {nil, map[string]bool{"same": false, "key": false, "operation": false}},
		"by key":               {[]ratelimit.Option{ratelimit.By(key)}, map[string]bool{"same": false, "key": true, "operation": false}},
		"by operation":         {[]ratelimit.Option{ratelimit.PerOperation()}, map[string]bool{"same": false, "key": false, "operation": true}},
		"by key and operation": {[]ratelimit.Option{ratelimit.By(key), ratelimit.PerOperation()}, map[string]bool{"same": false, "key": true, "operation": true}},
	} {
		for second, want := range row.want {
			g := must(ratelimit.NewGate(must(ratelimit.New(ratelimit.PerHour(1))), row.opts...))
			h, who := g.Middleware(spec, nothing), "ada"
			ctx, _ := served(t.Context(), "", transport.HeaderMap{"Who": {who}})
			if err := call(ctx, h); err != nil {
				t.Fatal(err)
			}
			switch second {
			case "key":
				ctx, _ = served(t.Context(), "", transport.HeaderMap{"Who": {"bob"}})
			case "operation":
				h = g.Middleware(other, nothing)
			}
			if err := call(ctx, h); want != (err == nil) {
				t.Errorf("%s, then another %s: want allowed %t, have %v", name, second, want, err)
			}
		}
	}
}

func TestEmptyKeys(t *testing.T) {
	t.Parallel()
	for rule, want := range map[ratelimit.EmptyKey]refusal{
		ratelimit.EmptyShared:    {code: status.ResourceExhausted, reason: ratelimit.ReasonLimited, after: time.Hour, notBegun: true},
		ratelimit.EmptyRefused:   {code: status.InvalidArgument, reason: ratelimit.ReasonNoKey, notBegun: true},
		ratelimit.EmptyUnlimited: {},
	} {
		synctest.Test(t, func(t *testing.T) {
			g := must(ratelimit.NewGate(must(ratelimit.New(ratelimit.PerHour(1))), ratelimit.By(ratelimit.KeyHeader("who")), ratelimit.OnEmptyKey(rule)))
			h := g.Middleware(spec, nothing)
			ctx, info := served(t.Context(), "", nil)
			err := call(ctx, h)
			if first := err == nil; first == (rule == ratelimit.EmptyRefused) {
				t.Errorf("rule %d, the first call: have %v", rule, err)
			}
			if have := refusalOf(call(ctx, h), info); want != have {
				t.Errorf("rule %d: want %+v, have %+v", rule, want, have)
			}
			if want, have := uint64(2), g.Status().Operations[0].NoKey; want != have {
				t.Errorf("rule %d: want %d without a key, have %d", rule, want, have)
			}
		})
	}
}

// TestOperationsAndKeysAreApart also where one name goes on as the other's key begins.
func TestOperationsAndKeysAreApart(t *testing.T) {
	t.Parallel()
	g := must(ratelimit.NewGate(must(ratelimit.New(ratelimit.PerHour(1))), ratelimit.PerOperation(), ratelimit.By(ratelimit.KeyHeader("Who"))))
	for _, row := range []struct{ method, who string }{{"Cut", "Out"}, {"CutOut", ""}, {"CutO", "ut"}} {
		ctx, _ := served(t.Context(), "", transport.HeaderMap{"Who": {row.who}})
		h := g.Middleware(endpoint.Spec{Service: "quarry", Method: row.method}, nothing)
		if err := call(ctx, h); err != nil {
			t.Errorf("%s for %q: %v", row.method, row.who, err)
		}
		if err := call(ctx, h); status.CodeOf(err) != status.ResourceExhausted {
			t.Errorf("%s for %q again: want it refused, have %v", row.method, row.who, err)
		}
	}
}
