package transport_test

import (
	"context"
	"testing"

	"github.com/ashlar-go/ashlar/transport"
)

func TestTheServersInfo(t *testing.T) {
	t.Parallel()
	type key struct{}
	if have := transport.FromContext(t.Context()); have != nil {
		t.Errorf("outside of a call: want nil, have %+v", have)
	}
	outer := context.WithValue(t.Context(), key{}, 1)
	ctx, info := transport.NewServerContext(outer, transport.Info{Transport: "test", Operation: "orders/Place"})
	if have := transport.FromContext(ctx); have != info || have.Operation != "orders/Place" {
		t.Errorf("want %p, have %p %+v", info, have, have)
	}
	inner, cancel := context.WithCancel(context.WithValue(ctx, key{}, 2))
	defer cancel()
	if have := transport.FromContext(inner); have != info {
		t.Errorf("further in: want %p, have %p", info, have)
	}
	if ctx.Value(key{}) != 1 {
		t.Error("the values of the context are lost")
	}
	nested, own := transport.NewServerContext(ctx, transport.Info{Operation: "orders/Other"})
	if have := transport.FromContext(nested); have != own || own == info {
		t.Errorf("a call within the call: want its own Info, have %+v", have)
	}
}

func TestEachObserverGetsAnInfo(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	if transport.Observed(ctx) {
		t.Error("nobody observes yet")
	}
	transport.Report(ctx, transport.Info{Operation: "heard by nobody"})

	ctx, outer := transport.Observe(ctx)
	middle, cancel := context.WithCancel(ctx)
	defer cancel()
	inner, own := transport.Observe(middle)
	if !transport.Observed(ctx) || !transport.Observed(inner) {
		t.Error("want both observed")
	}
	for _, operation := range []string{"first", "second"} {
		transport.Report(inner, transport.Info{Operation: operation, ResponseSize: 7})
		for name, info := range map[string]transport.Info{"outer": outer.Info(), "inner": own.Info()} {
			if info.Operation != operation || info.ResponseSize != 7 {
				t.Errorf("%s: want %s, have %+v", name, operation, info)
			}
		}
	}
	transport.Report(ctx, transport.Info{Operation: "outer only"})
	if outer.Info().Operation != "outer only" || own.Info().Operation != "second" {
		t.Errorf("want the outer one alone to change, have %q and %q", outer.Info().Operation, own.Info().Operation)
	}
}

// What an endpoint calls in turn is another call than the one it serves.
func TestServedAndMadeCallsAreApart(t *testing.T) {
	t.Parallel()
	ctx, served := transport.NewServerContext(t.Context(), transport.Info{Operation: "served"})
	if transport.Observed(ctx) {
		t.Error("a served call is not observed")
	}
	ctx, made := transport.Observe(ctx)
	transport.Report(ctx, transport.Info{Operation: "made"})
	if have := transport.FromContext(ctx); have != served || served.Operation != "served" || made.Info().Operation != "made" {
		t.Errorf("want served and made, have %q and %q", served.Operation, made.Info().Operation)
	}
}

//nolint:paralleltest // allocations are counted for the whole process
func TestInfoKeepsItsBudgets(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	ctx := t.Context()
	header := transport.HeaderMap{}
	outgoing := transport.WithHeader(transport.WithHeader(ctx, "X-A", "1"), "X-B", "2")
	served, _ := transport.NewServerContext(outgoing, transport.Info{})
	observed, _ := transport.Observe(served)
	dst := make([]byte, 0, 16)
	for _, row := range []struct {
		name string
		want float64
		f    func()
	}{
		{"NewServerContext", 1, func() {
			served, _ = transport.NewServerContext(ctx, transport.Info{Transport: "test", Request: header})
		}},
		{"FromContext", 0, func() { _ = transport.FromContext(served) }},
		{"Observe", 1, func() { observed, _ = transport.Observe(ctx) }},
		{"Report", 0, func() { transport.Report(observed, transport.Info{Transport: "test"}) }},
		{"Observed", 0, func() { _ = transport.Observed(observed) }},
		{"SetOutgoing", 0, func() { transport.SetOutgoing(outgoing, header) }},
		{"WithHeader", 2, func() { _ = transport.WithHeader(ctx, "X-A", "1") }},
		{"AppendTimeout", 0, func() { dst = transport.AppendTimeout(dst[:0], 1500) }},
		{"ParseTimeout", 0, func() { _, _ = transport.ParseTimeout("1500m") }},
	} {
		if have := testing.AllocsPerRun(100, row.f); have > row.want {
			t.Errorf("%s: want at most %v allocations, have %v", row.name, row.want, have)
		}
	}
}
