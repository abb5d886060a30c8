package inproc_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ashlar-go/ashlar/codec/json"
	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport/inproc"
)

var bothWays = map[string][]inproc.ClientOption{"as it is": nil, "copied": {inproc.ClientCopy(json.New())}}

func TestStreamsOfAllShapes(t *testing.T) {
	t.Parallel()
	count := endpoint.FromServerStream(func(_ context.Context, n int, send func(int) error) error {
		for i := range n {
			if err := send(i); err != nil {
				return err
			}
		}
		return nil
	})
	sum := endpoint.FromClientStream(func(_ context.Context, requests iter.Seq2[int, error]) (total int, err error) {
		for n, err := range requests {
			if err != nil {
				return 0, err
			}
			total += n
		}
		return total, nil
	})
	twice := endpoint.Endpoint[int, int](func(_ context.Context, n int) (int, error) { return 2 * n, nil }).Stream()
	running := func(_ context.Context, in iter.Seq2[int, error], out func(int) error) error {
		total := 0
		for n, err := range in {
			if err != nil {
				return err
			}
			total += n
			if err := out(total); err != nil {
				return err
			}
		}
		return nil
	}
	for _, row := range []struct {
		kind   endpoint.Kind
		stream endpoint.Stream[int, int]
		in     []int
		want   string
	}{
		{endpoint.ServerStream, count, []int{4}, "[0 1 2 3]"},
		{endpoint.ServerStream, count, []int{0}, "[]"},
		{endpoint.ClientStream, sum, []int{1, 2, 3}, "[6]"},
		{endpoint.ClientStream, sum, nil, "[0]"},
		{endpoint.Bidirectional, running, []int{1, 2, 3}, "[1 3 6]"},
		{endpoint.Bidirectional, running, nil, "[]"},
		{0, twice, []int{21}, "[42]"},
	} {
		spec := streamSpec
		spec.Kind = row.kind
		for name, opts := range bothWays {
			var mux inproc.Mux
			mux.Handle(inproc.NewStreamServer(spec, row.stream))
			call, err := inproc.NewStreamClient[int, int](spec.Client(), &mux, opts...)
			if err != nil {
				t.Fatal(err)
			}
			have := []int{}
			err = call(t.Context(), endpoint.Seq(row.in...), func(n int) error { have = append(have, n); return nil })
			if err != nil || fmt.Sprint(have) != row.want {
				t.Errorf("%v of %v, %s: want %s, have %v, %v", row.kind, row.in, name, row.want, have, err)
			}
		}
	}
}

// A message is received before the next one is sent, on one goroutine.
func TestMessagesAreHandedOverOneByOne(t *testing.T) {
	t.Parallel()
	for name, opts := range bothWays {
		var n notes
		call := stream(t, func(_ context.Context, in inSeq, out func(*number) error) error {
			for m, err := range in {
				if err != nil {
					return err
				}
				n.add("read %d", m.N)
				if err := out(&number{m.N}); err != nil {
					return err
				}
			}
			return nil
		}, nil, opts...)
		in := func(yield func(*number, error) bool) {
			for i := range 2 {
				n.add("send %d", i)
				if !yield(&number{i}, nil) {
					return
				}
			}
		}
		if err := call(t.Context(), in, func(m *number) error { n.add("out %d", m.N); return nil }); err != nil {
			t.Error(err)
		}
		if want, have := "[send 0 read 0 out 0 send 1 read 1 out 1]", fmt.Sprint(n.take()); want != have {
			t.Errorf("%s: want %s, have %s", name, want, have)
		}
	}
}

// watching is a server that notes what its context, in and out come to.
type watching struct{ ctx, in, out error }

func (w *watching) stream(ctx context.Context, in inSeq, out func(*number) error) error {
	for m, err := range in {
		if err != nil {
			w.in = err
			break
		}
		if w.out = out(m); w.out != nil {
			break
		}
	}
	w.ctx = ctx.Err()
	if w.out == nil {
		w.out = out(&number{})
	}
	return nil // as if nothing had happened
}

// A server may read on one goroutine and send on another, as the contract of Stream allows.
func TestReadingAndSendingAtOnce(t *testing.T) {
	t.Parallel()
	const messages = 1000
	for name, opts := range bothWays {
		call := stream(t, func(_ context.Context, in inSeq, out func(*number) error) error {
			read := make(chan error, 1)
			go func() {
				for _, err := range in {
					if err != nil {
						read <- err
						return
					}
				}
				read <- nil
			}()
			var sent error
			for i := range messages {
				sent = errors.Join(sent, out(&number{i}))
			}
			return errors.Join(<-read, sent)
		}, nil, opts...)
		in := func(yield func(*number, error) bool) {
			for i := range messages {
				if !yield(&number{i}, nil) {
					return
				}
			}
		}
		received := 0
		if err := call(t.Context(), in, func(*number) error { received++; return nil }); err != nil || received != messages {
			t.Errorf("%s: want %d messages, have %d, %v", name, messages, received, err)
		}
	}
}

func TestCancellationEndsInAndOut(t *testing.T) {
	t.Parallel()
	for name, opts := range bothWays {
		for _, row := range []struct {
			where string
			want  status.Code
			in    func(ctx context.Context, cancel func()) inSeq
		}{
			{"between two messages", status.Canceled, func(_ context.Context, cancel func()) inSeq {
				return func(yield func(*number, error) bool) {
					_ = yield(&number{1}, nil)
					cancel()
					_ = yield(&number{2}, nil)
				}
			}},
			{"and in just ends", status.Canceled, func(_ context.Context, cancel func()) inSeq {
				return func(yield func(*number, error) bool) {
					_ = yield(&number{1}, nil)
					cancel()
				}
			}},
			{"and in tells", status.Canceled, func(ctx context.Context, cancel func()) inSeq {
				return func(yield func(*number, error) bool) {
					_ = yield(&number{1}, nil)
					cancel()
					_ = yield(nil, fmt.Errorf("waiting: %w", ctx.Err()))
				}
			}},
			{"by the deadline", status.DeadlineExceeded, func(ctx context.Context, _ func()) inSeq {
				return func(yield func(*number, error) bool) {
					_ = yield(&number{1}, nil)
					<-ctx.Done()
					_ = yield(&number{2}, nil)
				}
			}},
		} {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				var w watching
				received := 0
				err := stream(t, w.stream, nil, opts...)(ctx, row.in(ctx, cancel), func(*number) error { received++; return nil })
				if status.CodeOf(err) != row.want || received != 1 {
					t.Errorf("%s, %s: want one message and %v, have %d and %v", name, row.where, row.want, received, err)
				}
				if status.CodeOf(w.in) != row.want || status.CodeOf(w.out) != row.want || status.CodeOf(w.ctx) != row.want {
					t.Errorf("%s, %s: the server: want %v, have in %v, out %v, context %v", name, row.where, row.want, w.in, w.out, w.ctx)
				}
			})
		}
	}
}

func TestAClientThatBreaksOff(t *testing.T) {
	t.Parallel()
	for name, opts := range bothWays {
		var w watching
		broken := func(yield func(*number, error) bool) { _ = yield(&number{1}, nil) && yield(nil, io.ErrUnexpectedEOF) }
		err := stream(t, w.stream, nil, opts...)(t.Context(), broken, func(*number) error { return nil })
		if err != io.ErrUnexpectedEOF { //nolint:errorlint // the error itself is meant
			t.Errorf("%s, in: want the client's own error as it is, have %v", name, err)
		}
		if status.CodeOf(w.in) != status.Canceled || status.CodeOf(w.out) != status.Canceled || errors.Is(w.in, io.ErrUnexpectedEOF) || !errors.Is(w.ctx, context.Canceled) {
			t.Errorf("%s, in: the server: want canceled without a cause, have %v, %v, %v", name, w.in, w.out, w.ctx)
		}
		w = watching{}
		own := fmt.Errorf("enough: %w", status.New(status.OutOfRange, "three"))
		ctx, cancel := context.WithCancel(t.Context())
		err = stream(t, w.stream, nil, opts...)(ctx, endpoint.Seq(&number{}), func(*number) error { cancel(); return own })
		if err != own { //nolint:errorlint // the error itself is meant
			t.Errorf("%s, out: want the client's own error as it is, have %v", name, err)
		}
		if status.CodeOf(w.out) != status.Canceled || errors.Is(w.out, own) || !errors.Is(w.ctx, context.Canceled) {
			t.Errorf("%s, out: the server: want canceled without a cause, have %v, %v", name, w.out, w.ctx)
		}
	}
}

func TestBreakingOffReceive(t *testing.T) {
	t.Parallel()
	for name, opts := range bothWays {
		var serverErr error
		endless := endpoint.FromServerStream(func(ctx context.Context, n *number, send func(*number) error) error {
			for serverErr == nil {
				serverErr = send(n)
			}
			<-ctx.Done()
			return serverErr
		})
		received := 0
		for _, err := range stream(t, endless, nil, opts...).Receive(t.Context(), &number{7}) {
			if err != nil {
				t.Fatal(err)
			}
			if received++; received == 3 {
				break
			}
		}
		if received != 3 || status.CodeOf(serverErr) != status.Canceled {
			t.Errorf("%s: want 3 messages and canceled, have %d and %v", name, received, serverErr)
		}
	}
}

func TestTheServerMayStopReading(t *testing.T) {
	t.Parallel()
	for name, opts := range bothWays {
		ended := false
		in := func(yield func(*number, error) bool) {
			defer func() { ended = true }()
			for yield(&number{}, nil) {
			}
		}
		one := endpoint.FromServerStream(func(_ context.Context, n *number, send func(*number) error) error { return send(n) })
		if err := stream(t, one, nil, opts...)(t.Context(), in, func(*number) error { return nil }); err != nil || !ended {
			t.Errorf("%s: want in ended without an error, have %t, %v", name, ended, err)
		}
	}
}

func TestNothingIsSentAfterTheEnd(t *testing.T) {
	t.Parallel()
	for name, opts := range bothWays {
		var kept func(*number) error
		call := stream(t, func(_ context.Context, _ inSeq, out func(*number) error) error { kept = out; return nil }, nil, opts...)
		if err := call(t.Context(), nil, func(*number) error { t.Errorf("%s: out is called after the end", name); return nil }); err != nil {
			t.Fatal(err)
		}
		if err := kept(&number{}); status.CodeOf(err) != status.Canceled {
			t.Errorf("%s: want canceled, have %v", name, err)
		}
	}
}

// What panics in the client's code passes through the server and is none of its own.
func TestAPanicOfTheClientStaysTheClients(t *testing.T) {
	t.Parallel()
	panicking := func(func(*number, error) bool) { panic("the client's") }
	out := func(*number) error { panic("the client's") }
	for name, opts := range bothWays {
		for _, mw := range [][]endpoint.Middleware{nil, {endpoint.Recover()}} {
			var final, clients error
			server := []inproc.ServerOption{
				inproc.ServerMiddleware(mw...),
				inproc.ServerFinalizer(func(_ context.Context, o inproc.Outcome) { final = o.Err }),
			}
			opts := append(opts, inproc.ClientFinalizer(func(_ context.Context, o inproc.Outcome) { clients = o.Err }))
			for where, do := range map[string]func(){
				"in":  func() { _ = stream(t, echo, server, opts...)(t.Context(), panicking, nil) },
				"out": func() { _ = stream(t, echo, server, opts...)(t.Context(), endpoint.Seq(&number{}), out) },
				"Receive": func() {
					for range stream(t, echo, server, opts...).Receive(t.Context(), &number{}) {
						panic("the client's")
					}
				},
			} {
				final, clients = nil, nil
				func() {
					defer func() {
						if want, have := "the client's", recover(); want != have {
							t.Errorf("%s, %s: want the panic %q, have %v", name, where, want, have)
						}
					}()
					do()
				}()
				if status.CodeOf(final) != status.Canceled || clients == nil {
					t.Errorf("%s, %s: want the server canceled and an error for the client's finalizer, have %v and %v", name, where, final, clients)
				}
			}
		}
	}
}

func TestAPanicOfTheServerInALoopIsTheServers(t *testing.T) {
	t.Parallel()
	for name, opts := range bothWays {
		quiet := []inproc.ServerOption{inproc.ServerErrorHandler(func(context.Context, error) {})}
		call := stream(t, func(_ context.Context, in inSeq, _ func(*number) error) error {
			for range in {
				panic("the server's")
			}
			return nil
		}, quiet, opts...)
		if err := call(t.Context(), endpoint.Seq(&number{}), nil); status.CodeOf(err) != status.Internal {
			t.Errorf("%s: want internal, have %v", name, err)
		}
	}
}
