package inproc_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/transport/inproc"
)

func TestMistakesPanicOnTheServer(t *testing.T) {
	t.Parallel()
	kind := func(spec endpoint.Spec, kind endpoint.Kind) endpoint.Spec { spec.Kind = kind; return spec }
	server := func(opt inproc.ServerOption) func(*inproc.Mux) {
		return func(*inproc.Mux) { inproc.NewServer(unarySpec, double, opt) }
	}
	for _, row := range []struct {
		name string
		do   func(*inproc.Mux)
		want string
	}{
		{"a nil endpoint", func(*inproc.Mux) { inproc.NewServer[int, int](unarySpec, nil) }, "numbers/Double: the endpoint is nil"},
		{"no method", func(*inproc.Mux) { inproc.NewServer(endpoint.Spec{Service: "numbers"}, double) }, "no name: Spec.Method is empty"},
		{"no method of a stream", func(*inproc.Mux) { inproc.NewStreamServer(endpoint.Spec{}, echo) }, "no name: Spec.Method is empty"},
		{"a stream's kind", func(*inproc.Mux) { inproc.NewServer(kind(unarySpec, endpoint.ServerStream), double) }, "server stream; use NewStreamServer"},
		{"a nil stream", func(*inproc.Mux) { inproc.NewStreamServer[int, int](streamSpec, nil) }, "numbers/Echo: the stream is nil"},
		{"a unary kind", func(*inproc.Mux) { inproc.NewStreamServer(kind(streamSpec, endpoint.Unary), echo) }, "unary; use NewServer"},
		{"a nil server", func(m *inproc.Mux) { m.Handle(nil) }, "nil Server"},
		{"two for one operation", func(m *inproc.Mux) {
			m.Handle(inproc.NewServer(unarySpec, double), inproc.NewServer(unarySpec, double))
		}, "numbers/Double, which has a server already"},
		{"a nil middleware", server(inproc.ServerMiddleware(nil)), "ServerMiddleware: function 0 is nil"},
		{"a nil option", server(nil), "server of numbers/Double: the list of options: function 0 is nil"},
		{"a nil hook before", server(inproc.ServerBefore(nil)), "ServerBefore: function 0 is nil"},
		{"a nil hook after", server(inproc.ServerAfter(func(context.Context) {}, nil)), "ServerAfter: function 1 is nil"},
		{"a nil finalizer", server(inproc.ServerFinalizer(nil)), "ServerFinalizer: function 0 is nil"},
		{"a nil handler of errors", server(inproc.ServerErrorHandler(nil)), "ServerErrorHandler: function 0 is nil"},
		{"a nil hook of a stream", func(*inproc.Mux) { inproc.NewStreamServer(streamSpec, echo, inproc.ServerBefore(nil)) }, "numbers/Echo: ServerBefore: function 0 is nil"},
	} {
		func() {
			defer func() {
				if have := fmt.Sprint(recover()); !strings.Contains(have, row.want) {
					t.Errorf("%s: want a panic with %q, have %q", row.name, row.want, have)
				}
			}()
			row.do(new(inproc.Mux))
		}()
	}
}

func TestMistakesAreErrorsOfTheClient(t *testing.T) {
	t.Parallel()
	streaming, calling := unarySpec, streamSpec
	streaming.Kind, calling.Kind = endpoint.ClientStream, endpoint.Unary
	var mux inproc.Mux
	client := func(opt inproc.ClientOption) func() (any, error) {
		return func() (any, error) { return inproc.NewClient[int, int](unarySpec, &mux, opt) }
	}
	for _, row := range []struct {
		name string
		do   func() (any, error)
		want string
	}{
		{"no Mux", func() (any, error) { return inproc.NewClient[int, int](unarySpec, nil) }, "client of numbers/Double: the Mux is nil"},
		{"no Mux for a stream", func() (any, error) { return inproc.NewStreamClient[int, int](streamSpec, nil) }, "client of numbers/Echo: the Mux is nil"},
		{"no method", func() (any, error) { return inproc.NewClient[int, int](endpoint.Spec{}, &mux) }, "no name: Spec.Method is empty"},
		{"a stream's kind", func() (any, error) { return inproc.NewClient[int, int](streaming, &mux) }, "client stream; use NewStreamClient"},
		{"a unary kind", func() (any, error) { return inproc.NewStreamClient[int, int](calling, &mux) }, "unary; use NewClient"},
		{"a nil codec", client(inproc.ClientCopy(nil)), "ClientCopy by a nil codec"},
		{"a nil option", client(nil), "client of numbers/Double: the list of options: function 0 is nil"},
		{"a nil hook before", client(inproc.ClientBefore(nil)), "ClientBefore: function 0 is nil"},
		{"a nil hook after", client(inproc.ClientAfter(nil)), "ClientAfter: function 0 is nil"},
		{"a nil finalizer", client(inproc.ClientFinalizer(nil)), "ClientFinalizer: function 0 is nil"},
	} {
		if _, err := row.do(); err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: want an error with %q, have %v", row.name, row.want, err)
		}
	}
}

func TestAMuxIsSafeForConcurrentUse(t *testing.T) {
	t.Parallel()
	var (
		mux inproc.Mux
		wg  sync.WaitGroup
	)
	for i := range 8 {
		spec := endpoint.Spec{Service: "numbers", Method: fmt.Sprint(i)}
		call, err := inproc.NewClient[*number, *number](spec, &mux)
		if err != nil {
			t.Fatal(err)
		}
		registered := make(chan struct{})
		wg.Go(func() {
			s := inproc.NewServer(spec, double)
			if s.Operation() != spec.Operation() {
				t.Errorf("want %s, have %s", spec.Operation(), s.Operation())
			}
			mux.Handle(s)
			close(registered)
		})
		for range 4 {
			wg.Go(func() {
				_, _ = call(t.Context(), &number{i}) // perhaps before there is a server
				<-registered
				if have, err := call(t.Context(), &number{i}); err != nil || have.N != 2*i {
					t.Errorf("want %d, have %v, %v", 2*i, have, err)
				}
			})
		}
	}
	wg.Wait()
}
