package grpcresolver_test

import (
	"context"
	"iter"
	"net/url"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/experimental/balancer/weight"
	"google.golang.org/grpc/resolver"
	"google.golang.org/grpc/serviceconfig"

	"github.com/ashlar-go/ashlar/sd"
	"github.com/ashlar-go/ashlar/sd/grpcresolver"
)

// client is a connection that a resolver speaks to, as far as these tests need one.
type client struct {
	resolver.ClientConn

	states chan resolver.State
	errs   chan error
	hook   func() // in each call
}

func newClient(hook func()) *client {
	const many = 100
	return &client{states: make(chan resolver.State, many), errs: make(chan error, many), hook: hook}
}

func (c *client) UpdateState(s resolver.State) error {
	c.states <- s
	c.hook()
	return nil
}

func (c *client) ReportError(err error) {
	c.errs <- err
	c.hook()
}

func (c *client) ParseServiceConfig(string) *serviceconfig.ParseResult {
	return &serviceconfig.ParseResult{}
}

func build(t *testing.T, i sd.Instancer, c *client) resolver.Resolver {
	t.Helper()
	builder, err := grpcresolver.NewBuilder("test", func(string) (sd.Instancer, error) { return i, nil })
	if err != nil {
		t.Fatal(err)
	}
	r, err := builder.Build(resolver.Target{URL: url.URL{Scheme: "test", Path: "/orders"}}, c, resolver.BuildOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func within(t *testing.T, what string, done <-chan struct{}) {
	t.Helper()
	select {
	case <-done:
	case <-time.After(patience):
		t.Fatalf("%s has not returned within %v", what, patience)
	}
}

func TestCloseInsideACallOfTheConnectionDoesNotWaitForIt(t *testing.T) {
	t.Parallel()
	for _, news := range []news{{set: []sd.Instance{{ID: "a", Address: "a:1"}}}, {err: errAway}} {
		b := &board{changed: make(chan struct{})}
		built, closed := make(chan resolver.Resolver, 1), make(chan struct{})
		c := newClient(func() {
			(<-built).Close()
			close(closed) // twice would panic
		})
		built <- build(t, b, c)
		b.tell(news)
		b.set(sd.Instance{Address: "b:1"}) // nobody is told
		within(t, "Close", closed)
		for b.ended.Load() == 0 {
			<-time.After(time.Millisecond)
		}
		if len(c.states)+len(c.errs) != 1 {
			t.Errorf("want nothing after Close, have %d sets and %d errors", len(c.states), len(c.errs))
		}
	}
}

// slow is an Instancer whose watch takes a while to end.
type slow struct{ ended chan struct{} }

func (s *slow) Watch(ctx context.Context) iter.Seq2[[]sd.Instance, error] {
	return func(yield func([]sd.Instance, error) bool) {
		defer close(s.ended)
		if yield([]sd.Instance{}, nil) {
			<-ctx.Done()
			<-time.After(100 * time.Millisecond)
		}
	}
}

func TestCloseWaitsUntilNothingOfTheWatchRemains(t *testing.T) {
	t.Parallel()
	s := &slow{ended: make(chan struct{})}
	told := make(chan struct{})
	r := build(t, s, newClient(func() { close(told) }))
	within(t, "UpdateState", told)
	<-time.After(10 * time.Millisecond) // until it has returned
	r.ResolveNow(resolver.ResolveNowOptions{})
	r.Close()
	select {
	case <-s.ended:
	default:
		t.Error("want Close to wait")
	}
	r.Close() // twice does no harm
}

func TestWhatAConnectionIsTold(t *testing.T) {
	t.Parallel()
	want := []sd.Instance{
		{ID: "a", Address: "10.0.0.1:80", Weight: 7, Zone: "eu", Version: "2", Tags: []string{"x"}, Metadata: map[string]string{"k": "v"}},
		{ID: "b", Address: "[2001:db8::1]:80"},
	}
	b := newBoard(want...)
	c := newClient(func() {})
	r := build(t, b, c)
	defer r.Close()
	s := <-c.states
	if len(s.Endpoints) != len(want) || len(s.Addresses) != len(want) || s.ServiceConfig != nil {
		t.Fatalf("want %d endpoints and addresses and no configuration, have %+v", len(want), s)
	}
	for n, w := range want {
		e, a := s.Endpoints[n], s.Addresses[n]
		if i, ok := grpcresolver.Instance(e.Attributes); !ok || !i.Equal(w) || e.Addresses[0].Addr != w.Address || e.Addresses[0].Attributes != nil {
			t.Errorf("want an endpoint of %+v, have %+v", w, e)
		}
		if i, ok := grpcresolver.Instance(a.BalancerAttributes); !ok || !i.Equal(w) || a.Addr != w.Address || a.Attributes != nil { //nolint:staticcheck // for policies that read it
			t.Errorf("want an address of %+v, have %+v", w, a)
		}
		if have := weight.FromEndpoint(e).Weight; have != uint32(w.Share()) {
			t.Errorf("want weight %d, have %d", w.Share(), have)
		}
	}
	b.set(want...)
	same := <-c.states
	if !same.Endpoints[0].Attributes.Equal(s.Endpoints[0].Attributes) || same.Endpoints[0].Attributes.Equal(s.Endpoints[1].Attributes) {
		t.Error("want attributes that are equal for equal instances only")
	}
	if i, ok := grpcresolver.Instance(nil); ok {
		t.Errorf("want no instance, have %v", i)
	}
	for range 30 {
		b.fail(&sd.InvalidError{Entry: "bad", Err: errAway})
	}
	b.set(want[0])
	<-c.states
	if err := <-c.errs; strings.Count(err.Error(), "bad") != 10 {
		t.Errorf("want ten of the entries, have %v", err)
	}
}

func TestWrongArgumentsAreRefused(t *testing.T) {
	t.Parallel()
	find := newBoard().find
	for name, test := range map[string]struct {
		scheme string
		find   func(string) (sd.Instancer, error)
		opts   []grpcresolver.BuilderOption
		want   string
	}{
		"no scheme":      {"", find, nil, `the scheme ""`},
		"upper case":     {"Test", find, nil, `the scheme "Test"`},
		"no find":        {"test", nil, nil, "find is nil"},
		"a nil option":   {"test", find, []grpcresolver.BuilderOption{nil}, "is nil"},
		"no JSON":        {"test", find, []grpcresolver.BuilderOption{grpcresolver.BuilderServiceConfig("{")}, "no JSON"},
		"given twice":    {"test", find, []grpcresolver.BuilderOption{grpcresolver.BuilderServiceConfig("{}"), grpcresolver.BuilderServiceConfig("{}")}, "twice"},
		"no JSON at all": {"test", find, []grpcresolver.BuilderOption{grpcresolver.BuilderServiceConfig("")}, "no JSON"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := grpcresolver.NewBuilder(test.scheme, test.find, test.opts...); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("want %q, have %v", test.want, err)
			}
		})
	}
}
