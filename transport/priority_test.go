package transport_test

import (
	"context"
	"testing"

	"github.com/ashlar-go/ashlar/transport"
)

func TestPriority(t *testing.T) {
	t.Parallel()
	serving := func(ctx context.Context, value string) context.Context {
		ctx, _ = transport.NewServerContext(ctx, transport.Info{Request: transport.HeaderMap{transport.PriorityHeader: {value}}})
		return ctx
	}
	const sheddable, normal, critical = transport.PrioritySheddable, transport.PriorityDefault, transport.PriorityCritical
	bare, _ := transport.NewServerContext(t.Context(), transport.Info{})
	for name, c := range map[string]struct {
		ctx  context.Context
		want transport.Priority
	}{
		"nothing":                       {t.Context(), normal},
		"set":                           {transport.WithPriority(t.Context(), sheddable), sheddable},
		"set twice":                     {transport.WithPriority(transport.WithPriority(t.Context(), sheddable), critical), critical},
		"served":                        {serving(t.Context(), "critical"), critical},
		"served without header":         {bare, normal},
		"served with what is no value":  {serving(t.Context(), "CRITICAL!"), normal},
		"set while serving":             {transport.WithPriority(serving(t.Context(), "critical"), normal), normal},
		"served by one that set it":     {serving(transport.WithPriority(t.Context(), critical), "sheddable"), sheddable},
		"served without, by one set to": {serving(transport.WithPriority(t.Context(), critical), ""), normal},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if have := transport.PriorityOf(c.ctx); c.want != have {
				t.Errorf("want %v, have %v", c.want, have)
			}
			sent := transport.HeaderMap{}
			transport.SetOutgoing(c.ctx, sent)
			if have := transport.PriorityOf(serving(t.Context(), sent.Get(transport.PriorityHeader))); c.want != have {
				t.Errorf("want %v to be sent, have %v", c.want, have)
			}
			if _, has := sent[transport.PriorityHeader]; has != (c.want != normal) {
				t.Errorf("of %v have the header %v", c.want, sent)
			}
		})
	}
}

func TestAPriorityHasAName(t *testing.T) {
	t.Parallel()
	for want, p := range map[string]transport.Priority{
		"sheddable": transport.PrioritySheddable, "default": transport.PriorityDefault, "critical": transport.PriorityCritical,
	} {
		if have := p.String(); want != have {
			t.Errorf("want %q, have %q", want, have)
		}
	}
}

// What came with the call is forwarded, unless the program says otherwise of one call.
func TestAHeaderReplacesThePriority(t *testing.T) {
	t.Parallel()
	ctx := transport.WithPriority(t.Context(), transport.PriorityCritical)
	sent := transport.HeaderMap{}
	transport.SetOutgoing(transport.WithHeader(ctx, transport.PriorityHeader), sent)
	if len(sent) != 0 {
		t.Errorf("want none, have %v", sent)
	}
}
