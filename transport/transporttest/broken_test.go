package transporttest_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/transport/transporttest"
)

type (
	message = transporttest.Message
	stream  = endpoint.Stream[message, message]
)

// breakage is one way in which a transport is broken, and the checks that must notice: all of them and no others.
type breakage struct {
	name   string
	notice []string
	// What is broken, each of it around a sound transport; nil leaves it sound.
	harness func(h *transporttest.Harness)
	serve   func(o *transporttest.Operation)
	server  func(s stream) stream
	client  func(s stream, spec endpoint.Spec) stream
	hooks   func(h *transporttest.ClientHooks)
}

// broken returns a harness of the sound transport with the breakage.
func (b breakage) broken() transporttest.Harness {
	h := copyHarness()
	h.Streams, h.Messages = 20, 200
	if b.harness != nil {
		b.harness(&h)
	}
	open := h.Open
	h.Open = func(operations ...transporttest.Operation) (transporttest.Link, error) {
		operations = slices.Clone(operations)
		for i := range operations {
			b.operation(&operations[i])
		}
		link, err := open(operations...)
		return brokenLink{link, b}, err
	}
	return h
}

func (b breakage) operation(o *transporttest.Operation) {
	if b.serve != nil {
		b.serve(o)
	}
	switch {
	case b.server == nil:
	case o.Stream != nil:
		o.Stream = b.server(o.Stream)
	default:
		o.Endpoint = b.server(o.Endpoint.Stream()).Unary
	}
}

type brokenLink struct {
	transporttest.Link

	breakage
}

func (l brokenLink) Unary(spec endpoint.Spec, hooks transporttest.ClientHooks) (endpoint.Endpoint[message, message], error) {
	call, err := l.Link.Unary(spec, l.hooked(hooks))
	if err != nil || l.client == nil {
		return call, err
	}
	return l.client(call.Stream(), spec).Unary, nil
}

func (l brokenLink) Stream(spec endpoint.Spec, hooks transporttest.ClientHooks) (stream, error) {
	call, err := l.Link.Stream(spec, l.hooked(hooks))
	if err != nil || l.client == nil {
		return call, err
	}
	return l.client(call, spec), nil
}

func (l brokenLink) hooked(hooks transporttest.ClientHooks) transporttest.ClientHooks {
	if l.hooks != nil {
		l.hooks(&hooks)
	}
	return hooks
}

// breakages are all that the suite is shown.
func breakages() []breakage {
	return slices.Concat(
		brokenMessages(), brokenHeaders(), brokenErrors(), brokenPanics(), brokenHooks(), brokenContexts(), brokenEnds(), brokenHarnesses(),
	)
}

func TestASoundTransportPasses(t *testing.T) {
	t.Parallel()
	for _, err := range tested(t, breakage{}.broken()) {
		t.Error(err)
	}
}

func TestEachBreakageIsNoticedByItsChecksAndNoOthers(t *testing.T) {
	t.Parallel()
	for _, b := range breakages() {
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			seen := map[string]error{}
			for _, err := range tested(t, b.broken()) {
				seen[err.Check] = err
			}
			for _, name := range b.notice {
				if seen[name] == nil {
					t.Errorf("%s does not notice", name)
				}
				delete(seen, name)
			}
			for name, err := range seen {
				t.Errorf("%s is not to notice: %v", name, err)
			}
		})
	}
}

func TestEachCheckNoticesSomeBreakage(t *testing.T) {
	t.Parallel()
	noticed := map[string]bool{}
	for _, b := range breakages() {
		for _, name := range b.notice {
			noticed[name] = true
		}
	}
	for _, clause := range transporttest.Contract() {
		if !noticed[clause.Check] {
			t.Errorf("%s: no breakage shows that it can fail", clause.Check)
		}
	}
}

// tested returns the violations of the harness. The clock is that of synctest: what waits in vain does not take long.
func tested(t *testing.T, h transporttest.Harness) (all []*transporttest.Violation) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		err := transporttest.Test(h)
		if err == nil {
			return
		}
		joined, ok := err.(interface{ Unwrap() []error })
		if !ok {
			t.Fatal(err)
		}
		for _, err := range joined.Unwrap() {
			v, ok := errors.AsType[*transporttest.Violation](err)
			if !ok {
				t.Fatal(err)
			}
			all = append(all, v)
		}
	})
	return all
}

// within changes the context of a server.
func within(change func(ctx context.Context) context.Context) func(s stream) stream {
	return func(s stream) stream {
		return func(ctx context.Context, in inSeq, out func(message) error) error { return s(change(ctx), in, out) }
	}
}

// ending changes the error of a server.
func ending(change func(err error) error) func(s stream) stream {
	return func(s stream) stream {
		return func(ctx context.Context, in inSeq, out func(message) error) error { return change(s(ctx, in, out)) }
	}
}

// returning changes the error of a client.
func returning(change func(err error) error) func(s stream, spec endpoint.Spec) stream {
	return func(s stream, _ endpoint.Spec) stream { return ending(change)(s) }
}
