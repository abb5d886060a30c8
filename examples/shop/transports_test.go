package main

import (
	"fmt"
	"maps"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/ashlar-go/ashlar/auth"
	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/examples/shop/catalog"
	"github.com/ashlar-go/ashlar/examples/shop/orders"
	"github.com/ashlar-go/ashlar/internal/testserver"
	"github.com/ashlar-go/ashlar/status"
	grpctransport "github.com/ashlar-go/ashlar/transport/grpc"
	httptransport "github.com/ashlar-go/ashlar/transport/http"
)

// feedOverNATS returns the feed of the orders over NATS.
func feedOverNATS(t *testing.T, s *shop, who *auth.Credentials) endpoint.Stream[*orders.Feed, *orders.Order] {
	t.Helper()
	conn, err := s.dialNATS(operatorID)
	if err != nil {
		t.Fatal(err)
	}
	feed, err := orders.NewFeedClient(conn, who.Middleware)
	if err != nil {
		t.Fatal(err)
	}
	return feed
}

// salesOverGRPC returns a client of the orders over gRPC.
func salesOverGRPC(t *testing.T, s *shop, who *auth.Credentials) *orders.Client {
	t.Helper()
	config, err := s.certificates.client(operatorID, ordersID)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := grpctransport.Dial(s.orders, dialGRPC(config))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	sales, err := orders.NewGRPCClient(conn, who.Middleware)
	if err != nil {
		t.Fatal(err)
	}
	return sales
}

func TestTheFeedIsTheSameOnEveryTransport(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string]options{"plain": {}, "TLS": {tls: true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			opts.addr, opts.registry = "127.0.0.1:0", "static"
			compareFeeds(t, openWith(t, opts))
		})
	}
}

func compareFeeds(t *testing.T, s *shop) {
	t.Helper()
	sales, staff := salesOverGRPC(t, s, ada(t, s)), mason(t, s)
	feeds := map[string]endpoint.Stream[*orders.Feed, *orders.Order]{
		"NDJSON":             as(t, s, staff).Feed,
		"server-sent events": as(t, s, staff, httptransport.ClientSSE()).Feed,
		"WebSocket":          as(t, s, staff, httptransport.ClientWebSocket()).Feed,
		"gRPC":               salesOverGRPC(t, s, staff).Feed,
		"NATS":               feedOverNATS(t, s, staff),
	}
	place := func(sku string) string {
		t.Helper()
		placed, err := sales.Place(t.Context(), &orders.Place{Lines: []catalog.Line{{SKU: sku, Count: 1}}})
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprintf("%+v", placed.Order)
	}
	want := []string{place("CHI-1001"), place("CHI-1002")}
	skus := []string{"CHI-1003", "CHI-1004", "CHI-1005", "CHI-1006", "CHI-1007"} // one while each of the feeds is open
	for i, name := range slices.Sorted(maps.Keys(feeds)) {
		have := []string{}
		for order, err := range feeds[name].Receive(t.Context(), &orders.Feed{}) {
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			have = append(have, fmt.Sprintf("%+v", *order))
			if len(have) == len(want) && len(want) == i+2 {
				want = append(want, place(skus[i]))
			}
			if len(have) == i+3 {
				break
			}
		}
		if !slices.Equal(want, have) {
			t.Errorf("%s: want %v, have %v", name, want, have)
		}
	}
}

func TestErrorsAreTheSameOnEveryTransport(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	customer, sales := as(t, s, ada(t, s)), salesOverGRPC(t, s, ada(t, s))
	ask := &orders.Place{Lines: []catalog.Line{{SKU: "CHI-1002", Count: 896}}}
	_, overHTTP := customer.Place(t.Context(), ask)
	_, overGRPC := sales.Place(t.Context(), ask)
	for name, err := range map[string]error{"HTTP": overHTTP, "gRPC": overGRPC} {
		have := status.As(err)
		if have == nil || have.Code != status.FailedPrecondition || have.Reason != "OUT_OF_STOCK" || have.Message != "only 895 of CHI-1002 are left" {
			t.Errorf("%s: have %v", name, err)
		}
	}
}

func TestTheProgramsOfOthersReachTheShop(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string]options{"plain": {}, "TLS": {tls: true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			opts.addr, opts.registry = "127.0.0.1:0", "static"
			callByPrograms(t, openWith(t, opts))
		})
	}
}

func callByPrograms(t *testing.T, s *shop) {
	t.Helper()
	token := "Authorization:" + bearer(t, ada(t, s))
	grpcurl, broker := []string{"-plaintext"}, []string{"-s", s.broker}
	if c := s.certificates; c != nil {
		grpcurl = []string{"-cacert", c.path("ca"), "-cert", c.path(operatorID), "-key", c.path(operatorID + "-key")}
		broker = append(broker, "--tlsca", c.path("ca"), "--tlscert", c.path(operatorID), "--tlskey", c.path(operatorID+"-key"))
	}
	for _, row := range []struct {
		program string
		common  []string
		args    []string
		want    string
	}{
		{"grpcurl", grpcurl, []string{s.orders, "list"}, "shop.v1.Orders"},
		{"grpcurl", grpcurl, []string{s.orders, "grpc.health.v1.Health/Check"}, "SERVING"},
		{
			"grpcurl", grpcurl,
			[]string{"-H", token, "-d", `{"lines":[{"sku":"CHI-1001","count":2}]}`, s.orders, "shop.v1.Orders/Place"},
			`"customer": "ada"`,
		},
		{"nats", broker, []string{"micro", "ls"}, "payments"},
		{"nats", broker, []string{"micro", "info", "payments"}, "shop.v1.Payments.Charge"},
		{
			"nats", broker,
			[]string{
				"request", "-H", "Content-Type:application/json", "-H", token, "shop.v1.Payments.Charge", `{"key":"k","customer":"ada","cents":5}`,
			},
			`{"id":"P-2","cents":5}`,
		},
		{
			"nats", broker,
			[]string{
				"request", "-H", "Content-Type:application/json", "-H", token, "shop.v1.Payments.Charge", `{"key":"l","customer":"tony","cents":5}`,
			},
			`FORBIDDEN`,
		},
	} {
		cmd := exec.CommandContext(t.Context(), testserver.Program(t, row.program), slices.Concat(row.common, row.args)...)
		cmd.Env = append(cmd.Environ(), "XDG_CONFIG_HOME="+t.TempDir()) // nobody's own contexts
		text, err := cmd.CombinedOutput()
		if err != nil || !strings.Contains(string(text), row.want) {
			t.Errorf("%s %v: want %s, have %v\n%s", row.program, row.args, row.want, err, text)
		}
	}
}
