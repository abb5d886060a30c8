package inproc_test

import (
	"context"
	"testing"

	"github.com/ashlar-go/ashlar/codec/json"
	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/transport/inproc"
)

func BenchmarkUnary(b *testing.B) {
	spec := endpoint.Spec{Service: "numbers", Method: "Double"}
	var mux inproc.Mux
	mux.Handle(inproc.NewServer(spec, func(_ context.Context, request *number) (*number, error) { return request, nil }))
	for name, opts := range map[string][]inproc.ClientOption{
		"as it is": nil,
		"copied":   {inproc.ClientCopy(json.New())},
	} {
		call, err := inproc.NewClient[*number, *number](spec, &mux, opts...)
		if err != nil {
			b.Fatal(err)
		}
		cancelable, cancel := context.WithCancel(b.Context())
		defer cancel()
		request := &number{N: 1}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := call(cancelable, request); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkStreamMessage(b *testing.B) {
	spec := endpoint.Spec{Service: "numbers", Method: "Echo"}
	var mux inproc.Mux
	mux.Handle(inproc.NewStreamServer(spec, echo))
	for name, opts := range map[string][]inproc.ClientOption{
		"as it is": nil,
		"copied":   {inproc.ClientCopy(json.New())},
	} {
		call, err := inproc.NewStreamClient[*number, *number](spec, &mux, opts...)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			in := func(yield func(*number, error) bool) {
				message := &number{N: 1}
				for b.Loop() {
					if !yield(message, nil) {
						return
					}
				}
			}
			if err := call(b.Context(), in, func(*number) error { return nil }); err != nil {
				b.Fatal(err)
			}
		})
	}
}
