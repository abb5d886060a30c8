package inproc_test

import (
	"context"
	"iter"
	"testing"

	"go.uber.org/goleak"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/transport/inproc"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	unarySpec  = endpoint.Spec{Service: "numbers", Method: "Double"}
	streamSpec = endpoint.Spec{Service: "numbers", Method: "Echo"}
)

type number struct{ N int }

type inSeq = iter.Seq2[*number, error]

func double(_ context.Context, request *number) (*number, error) {
	return &number{2 * request.N}, nil
}

func echo(_ context.Context, in iter.Seq2[*number, error], out func(*number) error) error {
	for message, err := range in {
		if err != nil {
			return err
		}
		if err := out(message); err != nil {
			return err
		}
	}
	return nil
}

// unary connects a client to a server of e.
func unary[Req, Resp any](t *testing.T, e endpoint.Endpoint[Req, Resp], server []inproc.ServerOption, client ...inproc.ClientOption) endpoint.Endpoint[Req, Resp] {
	t.Helper()
	var mux inproc.Mux
	mux.Handle(inproc.NewServer(unarySpec, e, server...))
	call, err := inproc.NewClient[Req, Resp](unarySpec, &mux, client...)
	if err != nil {
		t.Fatal(err)
	}
	return call
}

// stream connects a client to a server of s.
func stream[In, Out any](t *testing.T, s endpoint.Stream[In, Out], server []inproc.ServerOption, client ...inproc.ClientOption) endpoint.Stream[In, Out] {
	t.Helper()
	var mux inproc.Mux
	mux.Handle(inproc.NewStreamServer(streamSpec, s, server...))
	call, err := inproc.NewStreamClient[In, Out](streamSpec, &mux, client...)
	if err != nil {
		t.Fatal(err)
	}
	return call
}
