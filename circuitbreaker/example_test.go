package circuitbreaker_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/ashlar-go/ashlar/circuitbreaker"
	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/lb"
	"github.com/ashlar-go/ashlar/sd"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
	"github.com/ashlar-go/ashlar/transport/inproc"
)

func Example() {
	breakers, err := circuitbreaker.New(circuitbreaker.Adaptive(),
		circuitbreaker.OnChange(func(c circuitbreaker.Change) { fmt.Println(c.ID.Operation, "is", c.To) }))
	if err != nil {
		fmt.Println(err)
		return
	}
	// One middleware serves all endpoints, and each gets a breaker of its own.
	carve := func(context.Context, string) (string, error) {
		return "", status.New(status.Unavailable, "the saw is broken")
	}
	client := endpoint.New(endpoint.Spec{Service: "quarry", Method: "Carve"}.Client(), carve, breakers.Middleware)
	for range 7 {
		_, err = client(context.Background(), "an arch")
	}
	e := status.As(err)
	fmt.Println(e.Code, e.Reason, e.RetryAfter, errors.Is(err, transport.ErrNotSent))
	for _, s := range breakers.Status() {
		fmt.Println(s.ID.Operation, s.ID.Side, s.State, s.Failures, s.Refused)
	}
	_, err = client(context.Background(), "a bust")
	fmt.Println(status.As(err).Message)
	// Output:
	// quarry/Carve is open
	// unavailable CIRCUIT_OPEN 1s true
	// quarry/Carve client open 6 1
	// too many calls of quarry/Carve have failed
}

// hall is a connection to an instance, which knows whose it is.
type hall struct {
	mux     *inproc.Mux
	address string
}

func ExampleBreakers_Instance() {
	breakers, err := circuitbreaker.New(circuitbreaker.Adaptive())
	if err != nil {
		fmt.Println(err)
		return
	}
	spec := endpoint.Spec{Service: "quarry", Method: "Carve"} // not idempotent
	halls := map[string]*inproc.Mux{}
	for _, address := range []string{"east", "west"} {
		halls[address] = new(inproc.Mux)
		halls[address].Handle(inproc.NewServer(spec, func(context.Context, string) (string, error) {
			if address == "east" {
				return "", status.New(status.Unavailable, "the saw is broken")
			}
			return "carved in the " + address, nil
		}))
	}
	set, err := sd.NewStaticAddresses("east", "west")
	if err != nil {
		fmt.Println(err)
		return
	}
	pool, err := lb.New("quarry", set, func(_ context.Context, i sd.Instance) (*hall, error) {
		return &hall{mux: halls[i.Address], address: i.Address}, nil
	}, lb.PoolWaitReady(), lb.PoolPolicy(lb.RoundRobin()), lb.PoolEjectAfter(0))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer pool.Close()
	carve, err := lb.Endpoint(spec, pool, func(h *hall) (endpoint.Endpoint[string, string], error) {
		call, err := inproc.NewClient[string, string](spec, h.mux)
		if err != nil {
			return nil, err
		}
		return endpoint.New(spec.Client(), call, breakers.Instance(h.address)), nil
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for connected := map[string]bool{}; len(connected) < len(halls); {
		if h, done, err := pool.Pick(context.Background()); err == nil {
			done(nil)
			connected[h.address] = true
		}
	}
	failed := 0
	for range 100 {
		if _, err := carve(context.Background(), "an arch"); err != nil {
			failed++
		}
	}
	fmt.Println(failed, "of 100 calls failed, before the breaker of the east was open")
	// Output: 6 of 100 calls failed, before the breaker of the east was open
}

func ExampleKey() {
	type tenant struct{}
	breakers, err := circuitbreaker.New(circuitbreaker.Adaptive(),
		circuitbreaker.Key(func(ctx context.Context, _ any) string {
			name, _ := ctx.Value(tenant{}).(string)
			return name
		}),
		circuitbreaker.MaxKeys(1000),
		circuitbreaker.Failure(circuitbreaker.Codes(status.Unavailable, status.DeadlineExceeded)))
	if err != nil {
		fmt.Println(err)
		return
	}
	carve := endpoint.New(endpoint.Spec{Service: "quarry", Method: "Carve"}, func(ctx context.Context, _ string) (string, error) {
		if ctx.Value(tenant{}) == "masons" {
			return "", status.New(status.Unavailable, "their saw is broken")
		}
		return "carved", nil
	}, breakers.Middleware)
	for range 10 {
		_, _ = carve(context.WithValue(context.Background(), tenant{}, "masons"), "an arch")
	}
	for _, s := range breakers.Status() {
		fmt.Println(s.ID.Key, s.State)
	}
	fmt.Println(carve(context.WithValue(context.Background(), tenant{}, "sculptors"), "a bust"))
	// Output:
	// masons open
	// carved <nil>
}
