// Package ashlarclient makes the client endpoints of both contestants that call by Ashlar.
package ashlarclient

import (
	"github.com/ashlar-go/ashlar/bench/internal/contest"
	"github.com/ashlar-go/ashlar/bench/internal/model"
	"github.com/ashlar-go/ashlar/endpoint"
	httptransport "github.com/ashlar-go/ashlar/transport/http"
)

// Connect returns the calls to the server at base.
func Connect(base string, opts ...httptransport.DialOption) (contest.Calls, error) {
	conn, err := httptransport.Dial(base, opts...)
	if err != nil {
		return contest.Calls{}, err
	}
	sum, err := httptransport.NewClient[model.SumRequest, model.SumResponse](
		endpoint.Spec{Service: "bench", Method: "Sum"}, conn, "POST /sum")
	if err != nil {
		return contest.Calls{}, err
	}
	price, err := httptransport.NewClient[model.Orders, model.Orders](
		endpoint.Spec{Service: "bench", Method: "Price"}, conn, "POST /orders")
	return contest.Calls{Sum: sum, Price: price}, err
}
