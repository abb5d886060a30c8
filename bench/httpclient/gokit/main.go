// Command gokit calls by Go kit's HTTP transport.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"

	httptransport "github.com/go-kit/kit/transport/http"

	"github.com/ashlar-go/ashlar/bench/internal/contest"
	"github.com/ashlar-go/ashlar/bench/internal/model"
)

func main() {
	contest.Call(func(base string) (contest.Calls, error) {
		client := contest.NewHTTPClient()
		sum, err := call[model.SumRequest, model.SumResponse](client, base+"/sum")
		if err != nil {
			return contest.Calls{}, err
		}
		price, err := call[model.Orders, model.Orders](client, base+"/orders")
		return contest.Calls{Sum: sum, Price: price}, err
	})
}

func call[Req, Resp any](client *http.Client, target string) (func(context.Context, Req) (Resp, error), error) {
	u, err := url.Parse(target)
	if err != nil {
		return nil, err
	}
	e := httptransport.NewClient(http.MethodPost, u, httptransport.EncodeJSONRequest, decode[Resp], httptransport.SetClient(client)).Endpoint()
	return func(ctx context.Context, request Req) (Resp, error) {
		response, err := e(ctx, request)
		if err != nil {
			var none Resp
			return none, err
		}
		return response.(Resp), nil
	}, nil
}

func decode[Resp any](_ context.Context, r *http.Response) (any, error) {
	if r.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", r.Request.URL, r.Status)
	}
	var response Resp
	if err := json.NewDecoder(r.Body).Decode(&response); err != nil {
		return nil, err
	}
	_, err := io.Copy(io.Discard, r.Body) // or the connection is not used again
	return response, err
}
