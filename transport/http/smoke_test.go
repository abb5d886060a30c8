package httptransport_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
	httptransport "github.com/ashlar-go/ashlar/transport/http"
)

type sumRequest struct {
	ID string `path:"id" json:"-"`
	Q  []int  `query:"q" json:"-"`
	A  int    `json:"a"`
	B  int    `json:"b"`
}
type sumResponse struct {
	Sum int    `json:"sum"`
	ID  string `json:"id"`
}

func TestSmoke(t *testing.T) {
	spec := endpoint.Spec{Service: "calc", Method: "Sum"}
	mux := http.NewServeMux()
	mux.Handle("POST /sum/{id}", httptransport.NewServer(spec, func(_ context.Context, r *sumRequest) (sumResponse, error) {
		if r.A == 7 {
			return sumResponse{}, status.Errorf(status.NotFound, "no %d", r.A).WithReason("X")
		}
		for _, q := range r.Q {
			r.A += q
		}
		return sumResponse{r.A + r.B, r.ID}, nil
	}))
	srv := httptest.NewServer(mux)
	defer srv.Close()
	conn, err := httptransport.Dial(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	c, err := httptransport.NewClient[*sumRequest, sumResponse](spec, conn, "POST /sum/{id}")
	if err != nil {
		t.Fatal(err)
	}
	got, err := c(context.Background(), &sumRequest{ID: "a/b", Q: []int{1, 2}, A: 1, B: 2})
	t.Log(got, err)
	got, err = c(context.Background(), &sumRequest{ID: "a/b", A: 7, B: 2})
	t.Logf("%v %#v", got, err)
	r, _ := http.Post(srv.URL+"/sum/x?q=z", "application/json", strings.NewReader(`{"a":"x"} `))
	b := make([]byte, 1000)
	n, _ := r.Body.Read(b)
	t.Log(r.Status, r.Header, string(b[:n]))
}
