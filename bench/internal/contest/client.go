package contest

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"os"
	"reflect"

	"github.com/ashlar-go/ashlar/bench/internal/model"
	"github.com/ashlar-go/ashlar/bench/internal/parallel"
)

// Calls are the two operations as a client contestant calls them.
type Calls struct {
	Sum   func(context.Context, model.SumRequest) (model.SumResponse, error)
	Price func(context.Context, model.Orders) (model.Orders, error)
}

// NewHTTPClient returns the client that all contestants use: the default transport, with room for the connections of the
// bench, since the two that it keeps by default would have it dial for most calls.
func NewHTTPClient() *http.Client {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConnsPerHost = 64
	return &http.Client{Transport: t}
}

// Call calls the server of which the base URL is in os.Args[1] whenever the harness says so, until standard input ends. It is the
// main function of a client contestant.
func Call(connect func(base string) (Calls, error)) {
	if len(os.Args) != 2 {
		log.Fatalf("usage: %s base-url", os.Args[0])
	}
	calls, err := connect(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	orders := model.NewOrders()
	priced := model.Price(orders)
	sum := func(ctx context.Context) error {
		have, err := calls.Sum(ctx, model.SumRequest{A: 1, B: 2})
		if err == nil && have.Sum != 3 {
			err = fmt.Errorf("want 3, have %d", have.Sum)
		}
		return err
	}
	price := func(ctx context.Context) error {
		have, err := calls.Price(ctx, orders)
		if err == nil && (have.Total != priced.Total || len(have.Orders) != len(priced.Orders)) {
			err = fmt.Errorf("want a total of %d over %d orders, have %d over %d", priced.Total, len(priced.Orders), have.Total, len(have.Orders))
		}
		return err
	}
	if have, err := calls.Price(context.Background(), orders); err != nil {
		log.Fatal(err)
	} else if !reflect.DeepEqual(have, priced) {
		log.Fatalf("the reply to the large body is wrong: %v", have)
	}
	err = serve(Hello{}, func(c Command) error {
		call := price
		if c.Body == model.Small().Name {
			call = sum
		}
		return parallel.Do(c.Count, c.Conns, func(int) error { return call(context.Background()) })
	})
	if err != nil {
		log.Fatal(err)
	}
}
