// Command plain calls by http.Client and encoding/json alone, as it is written by hand. All ratios are to it.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"github.com/ashlar-go/ashlar/bench/internal/contest"
	"github.com/ashlar-go/ashlar/bench/internal/model"
)

func main() {
	contest.Call(func(base string) (contest.Calls, error) {
		client := contest.NewHTTPClient()
		return contest.Calls{
			Sum: func(ctx context.Context, request model.SumRequest) (response model.SumResponse, err error) {
				err = post(ctx, client, base+"/sum", request, &response)
				return response, err
			},
			Price: func(ctx context.Context, request model.Orders) (response model.Orders, err error) {
				err = post(ctx, client, base+"/orders", request, &response)
				return response, err
			},
		}, nil
	})
}

func post(ctx context.Context, client *http.Client, url string, request, response any) error {
	body, err := json.Marshal(request)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", url, resp.Status)
	}
	if err := json.NewDecoder(resp.Body).Decode(response); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, resp.Body) // or the connection is not used again
	return err
}
