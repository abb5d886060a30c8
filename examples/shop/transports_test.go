package main

import (
	"fmt"
	"maps"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/examples/shop/catalog"
	"github.com/ashlar-go/ashlar/examples/shop/orders"
	"github.com/ashlar-go/ashlar/internal/testserver"
	"github.com/ashlar-go/ashlar/status"
	grpctransport "github.com/ashlar-go/ashlar/transport/grpc"
	httptransport "github.com/ashlar-go/ashlar/transport/http"
	natstransport "github.com/ashlar-go/ashlar/transport/nats"
)

// feedOverNATS returns the feed of the orders over NATS.
func feedOverNATS(t *testing.T, s *shop) endpoint.Stream[*orders.Feed, *orders.Order] {
	t.Helper()
	nc, err := nats.Connect(s.broker)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	conn, err := natstransport.NewConn(nc)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	feed, err := orders.NewFeedClient(conn, endpoint.Recover())
	if err != nil {
		t.Fatal(err)
	}
	return feed
}

// salesOverGRPC returns a client of the orders over gRPC.
func salesOverGRPC(t *testing.T, s *shop) *orders.Client {
	t.Helper()
	conn, err := grpctransport.Dial(s.orders, grpctransport.DialInsecure())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	sales, err := orders.NewGRPCClient(conn, endpoint.Recover())
	if err != nil {
		t.Fatal(err)
	}
	return sales
}

func TestTheFeedIsTheSameOnEveryTransport(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	sales := salesOverGRPC(t, s)
	feeds := map[string]endpoint.Stream[*orders.Feed, *orders.Order]{
		"NDJSON":             customerOf(t, s).Feed,
		"server-sent events": customerOf(t, s, httptransport.ClientSSE()).Feed,
		"WebSocket":          customerOf(t, s, httptransport.ClientWebSocket()).Feed,
		"gRPC":               sales.Feed,
		"NATS":               feedOverNATS(t, s),
	}
	place := func(sku string) string {
		t.Helper()
		placed, err := sales.Place(t.Context(), &orders.Place{Customer: "Ada", Lines: []catalog.Line{{SKU: sku, Count: 1}}})
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
	customer, sales := customerOf(t, s), salesOverGRPC(t, s)
	ask := &orders.Place{Customer: "Ada", Lines: []catalog.Line{{SKU: "CHI-1002", Count: 896}}}
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
	s := openShop(t)
	for _, row := range []struct {
		program, args string
		want          []string
	}{
		{"grpcurl", "-plaintext " + s.orders + " list", []string{"shop.v1.Orders", "grpc.health.v1.Health"}},
		{"grpcurl", "-plaintext " + s.orders + " grpc.health.v1.Health/Check", []string{"SERVING"}},
		{
			"grpcurl", `-plaintext -d {"customer":"Ada","lines":[{"sku":"CHI-1001","count":2}]} ` + s.orders + " shop.v1.Orders/Place",
			[]string{`"customer": "Ada"`, `"cents": "5110"`, `"payment": "P-1"`},
		},
		{"nats", "-s " + s.broker + " micro ls", []string{"orders", "payments"}},
		{"nats", "-s " + s.broker + " micro info payments", []string{"shop.v1.Payments.Charge"}},
		{"nats", "-s " + s.broker + ` request -H Content-Type:application/json shop.v1.Payments.Charge {"key":"k","cents":5}`, []string{`{"id":"P-2","cents":5}`}},
	} {
		cmd := exec.CommandContext(t.Context(), testserver.Program(t, row.program), strings.Fields(row.args)...)
		cmd.Env = append(cmd.Environ(), "XDG_CONFIG_HOME="+t.TempDir()) // nobody's own contexts
		text, err := cmd.CombinedOutput()
		for _, want := range row.want {
			if err != nil || !strings.Contains(string(text), want) {
				t.Errorf("%s %s: want %s, have %v\n%s", row.program, row.args, want, err, text)
			}
		}
	}
}
