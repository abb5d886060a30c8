package inproc_test

import (
	"context"
	"testing"

	"github.com/ashlar-go/ashlar/endpoint"
)

//nolint:paralleltest // allocations are counted for the whole process
func TestCallsKeepTheirBudgets(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	const messages = 1000
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	request := &number{1}
	same := unary(t, func(_ context.Context, request *number) (*number, error) { return request, nil }, nil)
	talk := stream(t, echo, nil)
	in := func(yield func(*number, error) bool) {
		for range messages {
			if !yield(request, nil) {
				return
			}
		}
	}
	out := func(*number) error { return nil }
	short := endpoint.Seq(request)
	for _, row := range []struct {
		name string
		want float64
		call func()
	}{
		{"a unary call", 2, func() { _, _ = same(ctx, request) }},
		{"a stream of one message", 16, func() { _ = talk(ctx, short, out) }},
		{"a stream of a thousand", 16, func() { _ = talk(ctx, in, out) }},
	} {
		if have := testing.AllocsPerRun(100, row.call); have > row.want {
			t.Errorf("%s: want at most %v allocations, have %v", row.name, row.want, have)
		}
	}
}
