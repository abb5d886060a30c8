package inproc_test

import (
	"context"
	"errors"
	"iter"
	"testing"

	"github.com/ashlar-go/ashlar/codec/json"
	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
	"github.com/ashlar-go/ashlar/transport/inproc"
)

type (
	wide   struct{ N, M int }
	pupil  struct{ Marks []int }
	narrow struct{ N int }
)

func TestCopiesShareNoMemory(t *testing.T) {
	t.Parallel()
	for name, opts := range bothWays {
		mine := &pupil{Marks: []int{1}}
		var kept *pupil
		call := unary(t, func(_ context.Context, p *pupil) (*pupil, error) {
			p.Marks[0] = 2
			kept = p
			return p, nil
		}, nil, opts...)
		have, err := call(t.Context(), mine)
		if err != nil {
			t.Fatal(err)
		}
		if shared, want := have == kept && mine == kept && mine.Marks[0] == 2, opts == nil; shared != want {
			t.Errorf("%s: want shared %t, have %t", name, want, shared)
		}
		var one, other *pupil
		talk := stream(t, func(_ context.Context, in iter.Seq2[*pupil, error], out func(*pupil) error) error {
			for p := range in {
				one = p
				if err := out(p); err != nil {
					return err
				}
			}
			return nil
		}, nil, opts...)
		if err := talk(t.Context(), endpoint.Seq(mine), func(p *pupil) error { other = p; return nil }); err != nil {
			t.Fatal(err)
		}
		if shared, want := mine == one && one == other, opts == nil; shared != want || mine != one && one == other {
			t.Errorf("%s, stream: want shared %t, have %t", name, want, shared)
		}
	}
}

func TestCopiesMayHaveOtherTypes(t *testing.T) {
	t.Parallel()
	var mux inproc.Mux
	mux.Handle(
		inproc.NewServer(unarySpec, func(_ context.Context, w wide) (*wide, error) { return &wide{2 * w.N, 9}, nil }),
		inproc.NewStreamServer(streamSpec, func(_ context.Context, in iter.Seq2[wide, error], out func(*wide) error) error {
			for w, err := range in {
				if err != nil {
					return err
				}
				if err := out(&wide{2 * w.N, 9}); err != nil {
					return err
				}
			}
			return nil
		}))
	call, err := inproc.NewClient[*narrow, map[string]int](unarySpec, &mux, inproc.ClientCopy(json.New()))
	if err != nil {
		t.Fatal(err)
	}
	if have, err := call(t.Context(), &narrow{2}); err != nil || have["N"] != 4 || have["M"] != 9 {
		t.Errorf("want 4 and 9, have %v, %v", have, err)
	}
	talk, err := inproc.NewStreamClient[narrow, map[string]int](streamSpec, &mux, inproc.ClientCopy(json.New()))
	if err != nil {
		t.Fatal(err)
	}
	if have, err := talk.Unary(t.Context(), narrow{3}); err != nil || have["N"] != 6 || have["M"] != 9 {
		t.Errorf("stream: want 6 and 9, have %v, %v", have, err)
	}
}

func TestCopiesThatDoNotFit(t *testing.T) {
	t.Parallel()
	var handled error
	handler := inproc.ServerErrorHandler(func(_ context.Context, err error) { handled = err })
	by := inproc.ClientCopy(json.New())
	var mux inproc.Mux
	mux.Handle(
		inproc.NewServer(unarySpec, func(_ context.Context, n narrow) (any, error) {
			if n.N == 0 {
				return func() {}, nil // which no codec can encode
			}
			return "text", nil
		}, handler),
		inproc.NewStreamServer(streamSpec, func(_ context.Context, in iter.Seq2[narrow, error], out func(any) error) error {
			for n, err := range in {
				if err != nil {
					return err
				}
				if n.N == 0 {
					return out(func() {})
				}
				if err := out("text"); err != nil {
					return err
				}
			}
			return nil
		}, handler))
	for _, row := range []struct {
		name    string
		request any
		want    status.Code
		handled status.Code
		notSent bool // of the unary call
	}{
		{"a request that does not decode", map[string]string{"N": "x"}, status.InvalidArgument, status.InvalidArgument, false},
		{"a request that does not encode", func() {}, status.Internal, status.OK, true},
		{"a response that does not decode", narrow{1}, status.Internal, status.OK, false},
		{"a response that does not encode", narrow{0}, status.Internal, status.Internal, false},
	} {
		unary, err := inproc.NewClient[any, int](unarySpec, &mux, by)
		if err != nil {
			t.Fatal(err)
		}
		stream, err := inproc.NewStreamClient[any, int](streamSpec, &mux, by)
		if err != nil {
			t.Fatal(err)
		}
		for shape, do := range map[string]endpoint.Endpoint[any, int]{"unary": unary, "stream": stream.Unary} {
			handled = nil
			_, err := do(t.Context(), row.request)
			e := status.As(err)
			if e == nil || e.Code != row.want {
				t.Errorf("%s, %s: want %v, have %v", shape, row.name, row.want, err)
				continue
			}
			if row.want == status.InvalidArgument && (len(e.Violations) != 1 || e.Violations[0].Description == "") {
				t.Errorf("%s, %s: want a violation, have %v", shape, row.name, e.Violations)
			}
			if shape == "unary" {
				if have := status.CodeOf(handled); have != row.handled || errors.Is(err, transport.ErrNotSent) != row.notSent {
					t.Errorf("%s: want the server to see %v, have %v; not sent %t", row.name, row.handled, handled, errors.Is(err, transport.ErrNotSent))
				}
			}
		}
	}
}

func TestSizesAreThoseOfTheEncodedMessages(t *testing.T) {
	t.Parallel()
	for name, opts := range bothWays {
		var server, client inproc.Outcome
		serverOpts := []inproc.ServerOption{inproc.ServerFinalizer(func(_ context.Context, o inproc.Outcome) { server = o })}
		opts = append(opts, inproc.ClientFinalizer(func(_ context.Context, o inproc.Outcome) { client = o }))
		ctx, observed := transport.Observe(t.Context())
		var want inproc.Outcome
		if name == "copied" {
			want = inproc.Outcome{RequestSize: int64(len(`{"N":5}`)), ResponseSize: int64(len(`{"N":10}`))}
		}
		check := func(shape string) {
			if server != want || client != want || observed.Info().RequestSize != want.RequestSize || observed.Info().ResponseSize != want.ResponseSize {
				t.Errorf("%s, %s: want %+v, have %+v, %+v and %+v", name, shape, want, server, client, observed)
			}
		}
		if _, err := unary(t, double, serverOpts, opts...)(ctx, &number{5}); err != nil {
			t.Error(err)
		}
		check("unary")
		if name == "copied" {
			want = inproc.Outcome{RequestSize: int64(len(`{"N":5}{"N":50}`)), ResponseSize: int64(len(`{"N":5}{"N":50}`))}
		}
		if err := stream(t, echo, serverOpts, opts...)(ctx, endpoint.Seq(&number{5}, &number{50}), func(*number) error { return nil }); err != nil {
			t.Error(err)
		}
		check("stream")
	}
}
