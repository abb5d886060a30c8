package natstransport_test

import (
	"context"
	"fmt"
	"os"
	"testing"

	"github.com/nats-io/nats.go"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/internal/testserver"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
	"github.com/ashlar-go/ashlar/transport/nats"
)

type charge struct {
	Order  string
	Amount int
}

type receipt struct{ Text string }

func pay(ctx context.Context, request charge) (receipt, error) {
	if request.Amount <= 0 {
		return receipt{}, status.Invalid(status.Violation{Field: "Amount", Description: "must be positive"})
	}
	info := transport.FromContext(ctx)
	info.Response.Set("X-Served-By", info.Transport)
	return receipt{Text: fmt.Sprintf("%d for %s of %s", request.Amount, request.Order, info.Request.Get("X-Tenant"))}, nil
}

func watch(_ context.Context, order string, send func(string) error) error {
	for _, state := range []string{"authorized", "captured"} {
		if err := send(order + " is " + state); err != nil {
			return err
		}
	}
	return nil
}

func Example() {
	url, stop := startNATS()
	defer stop()

	nc, err := nats.Connect(url)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer nc.Close()

	chargeSpec := endpoint.Spec{Service: "payments", Method: "Charge"}
	watchSpec := endpoint.Spec{Service: "payments", Method: "Watch", Kind: endpoint.ServerStream}
	service, err := natstransport.Serve(nc, "payments", "1.4.0", []*natstransport.Server{
		natstransport.NewServer(chargeSpec, endpoint.New(chargeSpec, pay, endpoint.Recover())),
		natstransport.NewStreamServer(watchSpec, endpoint.FromServerStream(watch)),
	}, natstransport.ServiceDescription("takes the money"))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() {
		if err := service.Shutdown(context.Background()); err != nil {
			fmt.Println(err)
		}
	}()

	conn, err := natstransport.NewConn(nc) // it could be a connection of another process
	if err != nil {
		fmt.Println(err)
		return
	}
	defer conn.Close()
	call, err := natstransport.NewClient[charge, receipt](chargeSpec.Client(), conn)
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, info := transport.Observe(transport.WithHeader(context.Background(), "X-Tenant", "masons"))
	paid, err := call(ctx, charge{Order: "o-1", Amount: 12})
	fmt.Println(paid.Text, err)
	fmt.Println(info.Info().Response.Get("X-Served-By"))

	_, err = call(ctx, charge{Order: "o-1"})
	fmt.Println(status.CodeOf(err), status.As(err).Violations)

	follow, err := natstransport.NewStreamClient[string, string](watchSpec.Client(), conn)
	if err != nil {
		fmt.Println(err)
		return
	}
	for state, err := range follow.Receive(ctx, "o-1") {
		fmt.Println(state, err)
	}
	// Output:
	// 12 for o-1 of masons <nil>
	// nats
	// invalid_argument [Amount: must be positive]
	// o-1 is authorized <nil>
	// o-1 is captured <nil>
}

// startNATS starts a NATS server for an example.
func startNATS() (url string, stop func()) {
	e := new(exampleTB)
	server := testserver.StartNATS(e)
	return server.URL, func() {
		for _, f := range e.cleanups {
			defer f()
		}
	}
}

// exampleTB is as much of a testing.TB as a server needs.
type exampleTB struct {
	testing.TB

	cleanups []func()
}

func (*exampleTB) Helper() {}

func (*exampleTB) Failed() bool { return false }

func (*exampleTB) Context() context.Context { return context.Background() }

func (e *exampleTB) Cleanup(f func()) { e.cleanups = append(e.cleanups, f) }

func (*exampleTB) Fatalf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }

func (e *exampleTB) Fatal(args ...any) { panic(fmt.Sprint(args...)) }

func (e *exampleTB) Skipf(format string, args ...any) { e.Fatalf(format, args...) }

func (e *exampleTB) TempDir() string {
	dir, err := os.MkdirTemp("", "nats")
	if err != nil {
		e.Fatal(err)
	}
	e.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}
