package httptransport_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
	httptransport "github.com/ashlar-go/ashlar/transport/http"
)

// AddItem is bound from the path, the query and the body.
type AddItem struct {
	Order  string `json:"-"     path:"order"`
	DryRun bool   `json:"-"     query:"dryRun"`
	SKU    string `json:"sku"`
	Count  int    `json:"count"`
}

// Added is what AddItem answers.
type Added struct {
	Total int `json:"total"`
}

func addItem(_ context.Context, r *AddItem) (*Added, error) {
	if r.Count <= 0 {
		return nil, status.Invalid(status.Violation{Field: "count", Description: "must be positive"})
	}
	return &Added{Total: r.Count}, nil
}

var addItemSpec = endpoint.Spec{Service: "orders", Method: "AddItem"}

func ExampleNewServer() {
	mux := http.NewServeMux()
	mux.Handle("POST /orders/{order}/items", httptransport.NewServer(addItemSpec, addItem))

	for _, body := range []string{`{"sku":"a-1","count":2}`, `{"sku":"a-1","count":"two"}`} {
		r := httptest.NewRequest(http.MethodPost, "/orders/7/items", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		fmt.Println(w.Code, w.Body)
	}
	// Output:
	// 200 {"total":2}
	// 400 {"title":"Bad Request","status":400,"detail":"invalid request: count: want an integer, have a string","code":"invalid_argument","violations":[{"field":"count","description":"want an integer, have a string"}]}
}

func ExampleNewClient() {
	mux := http.NewServeMux()
	mux.Handle("POST /orders/{order}/items", httptransport.NewServer(addItemSpec, addItem))
	server := httptest.NewServer(mux)
	defer server.Close()

	conn, err := httptransport.Dial(server.URL)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return
	}
	defer conn.Close()
	client, err := httptransport.NewClient[*AddItem, *Added](addItemSpec, conn, "POST /orders/{order}/items")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return
	}

	added, err := client(context.Background(), &AddItem{Order: "a/b", SKU: "a-1", Count: 2})
	fmt.Println(added.Total, err)
	_, err = client(context.Background(), &AddItem{Order: "a/b", SKU: "a-1"})
	fmt.Println(status.CodeOf(err), status.As(err).Violations)
	// Output:
	// 2 <nil>
	// invalid_argument [count: must be positive]
}
