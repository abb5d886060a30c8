package lb_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/lb"
	"github.com/ashlar-go/ashlar/sd"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport/inproc"
)

type slab struct{ Name string }

var (
	findSpec  = endpoint.Spec{Service: "quarry", Method: "Find", Idempotent: true}
	carveSpec = endpoint.Spec{Service: "quarry", Method: "Carve"}
)

// newQuarry returns an instance of the service, which may be out of order.
func newQuarry(broken bool) *inproc.Mux {
	serve := func(_ context.Context, s slab) (slab, error) {
		if broken {
			return slab{}, status.New(status.Unavailable, "the saw is broken")
		}
		return s, nil
	}
	mux := new(inproc.Mux)
	mux.Handle(inproc.NewServer(findSpec, serve), inproc.NewServer(carveSpec, serve))
	return mux
}

// poolOfQuarries returns a pool of instances that are called by address.
func poolOfQuarries(instances map[string]*inproc.Mux, addresses ...string) (*lb.Pool[*inproc.Mux], error) {
	set, err := sd.NewStaticAddresses(addresses...)
	if err != nil {
		return nil, err
	}
	dial := lb.ByAddress(func(_ context.Context, address string) (*inproc.Mux, error) { return instances[address], nil })
	return lb.New("quarry", set, dial, lb.PoolWaitReady())
}

// newClient makes the client of an operation. With such a function, one for each transport, an operation is a line.
func newClient[Req, Resp any](spec endpoint.Spec, pool *lb.Pool[*inproc.Mux], opts ...lb.EndpointOption) (endpoint.Endpoint[Req, Resp], error) {
	return lb.Endpoint(spec, pool, func(mux *inproc.Mux) (endpoint.Endpoint[Req, Resp], error) {
		return inproc.NewClient[Req, Resp](spec, mux)
	}, opts...)
}

func ExampleEndpoint() {
	pool, err := poolOfQuarries(map[string]*inproc.Mux{"east": newQuarry(true), "west": newQuarry(false)}, "east", "west")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer pool.Close()
	find, err := newClient[slab, slab](findSpec, pool)
	if err != nil {
		fmt.Println(err)
		return
	}
	for range 5 {
		found, err := find(context.Background(), slab{"granite"})
		fmt.Println(found.Name, err)
	}
	// Output:
	// granite <nil>
	// granite <nil>
	// granite <nil>
	// granite <nil>
	// granite <nil>
}

func ExampleRetryError() {
	pool, err := poolOfQuarries(map[string]*inproc.Mux{"east": newQuarry(true)}, "east")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer pool.Close()
	find, err := newClient[slab, slab](findSpec, pool)
	if err != nil {
		fmt.Println(err)
		return
	}
	carve, err := newClient[slab, slab](carveSpec, pool)
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = find(context.Background(), slab{"granite"})
	fmt.Println(status.As(err).Code, "-", status.As(err).Message)
	if all, ok := errors.AsType[*lb.RetryError](err); ok {
		for _, a := range all.Attempts {
			fmt.Println(a.Instance.Address, "-", a.Err)
		}
	}
	_, err = carve(context.Background(), slab{"granite"}) // which is not idempotent
	fmt.Println(err)
	// Output:
	// unavailable - the saw is broken
	// east - unavailable: the saw is broken
	// east - unavailable: the saw is broken
	// east - unavailable: the saw is broken
	// unavailable: the saw is broken
}
