package lb_test

import (
	"context"
	"errors"
	"iter"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/lb"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
)

var (
	streamSpec = endpoint.Spec{Service: "quarry", Method: "Talk", Kind: endpoint.Bidirectional, Idempotent: true}
	watchSpec  = endpoint.Spec{Service: "quarry", Method: "Watch", Kind: endpoint.ServerStream, Idempotent: true}
)

type streamFunc = func(ctx context.Context, in iter.Seq2[int, error], out func(int) error) error

// newStream returns a stream over the pool, whose attempts do what is in do, in turn.
func fleetStream(t testing.TB, spec endpoint.Spec, p *lb.Pool[*host], do ...streamFunc) endpoint.Stream[int, int] {
	t.Helper()
	n := -1
	s, err := lb.Stream(spec, p, func(h *host) (endpoint.Stream[int, int], error) {
		return func(ctx context.Context, in iter.Seq2[int, error], out func(int) error) error {
			n++
			h.fleet.calls = append(h.fleet.calls, h.name)
			return do[min(n, len(do)-1)](ctx, in, out)
		}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// echo sends what it gets.
func echo(_ context.Context, in iter.Seq2[int, error], out func(int) error) error {
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

func failing(err error) streamFunc {
	return func(context.Context, iter.Seq2[int, error], func(int) error) error { return err }
}

// asking reads a message and fails.
func asking(err error) streamFunc {
	return func(_ context.Context, in iter.Seq2[int, error], _ func(int) error) error {
		for range in {
			break
		}
		return err
	}
}

// saying sends a message and fails.
func saying(err error) streamFunc {
	return func(_ context.Context, _ iter.Seq2[int, error], out func(int) error) error {
		return errors.Join(out(0), err)
	}
}

func TestWhenAStreamIsOpenedAgain(t *testing.T) {
	t.Parallel()
	once, onceWatch := streamSpec, watchSpec
	once.Idempotent, onceWatch.Idempotent = false, false
	for name, row := range map[string]struct {
		spec  endpoint.Spec
		first streamFunc
		want  int // attempts
	}{
		"nothing was asked for":                    {streamSpec, failing(errBroken), 2},
		"nothing was, and it is not idempotent":    {once, failing(errBroken), 1},
		"it was not sent":                          {once, failing(errRefused), 2},
		"a message was asked for":                  {streamSpec, asking(errBroken), 1},
		"one was, and it was not sent":             {streamSpec, asking(errRefused), 1},
		"a message was delivered":                  {streamSpec, saying(errBroken), 1},
		"its code is not repeated":                 {streamSpec, failing(status.New(status.NotFound, "none")), 1},
		"the one request was asked for":            {watchSpec, asking(errBroken), 2},
		"it was, and is not idempotent":            {onceWatch, asking(errBroken), 1},
		"it was, and was not sent":                 {onceWatch, asking(errRefused), 2},
		"an answer to the one request was deliver": {watchSpec, saying(errBroken), 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := new(fleet)
				p := fleetPool(t, f, []string{"a", "b"})
				var have []int
				err := fleetStream(t, row.spec, p, row.first, echo)(t.Context(), endpoint.Seq(7), func(n int) error {
					have = append(have, n)
					return nil
				})
				if len(f.calls) != row.want || row.want == 2 && f.calls[0] == f.calls[1] {
					t.Errorf("want %d attempts, on different instances, have %v", row.want, f.calls)
				}
				if row.want == 2 && (err != nil || !slices.Equal(have, []int{7})) || row.want == 1 && err == nil {
					t.Errorf("have %v and %v", have, err)
				}
				if n := fleetInFlight(p); n != 0 {
					t.Errorf("want no calls in flight, have %d", n)
				}
			})
		})
	}
}

func TestTheErrorOfAStreamTellsOfAllAttempts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := new(fleet)
		err := fleetStream(t, streamSpec, fleetPool(t, f, []string{"a", "b"}), failing(errBroken), failing(errRefused), asking(errBroken))(
			t.Context(), endpoint.Seq(7), nil)
		all, ok := errors.AsType[*lb.RetryError](err)
		if !ok || len(all.Attempts) != 3 || status.CodeOf(err) != status.Unavailable || transport.NotBegun(err) {
			t.Errorf("want 3 attempts, have %v", err)
		}
		if err = fleetStream(t, streamSpec, fleetPool(t, f, nil), echo)(t.Context(), endpoint.Seq(7), nil); status.As(err).Reason != lb.ReasonNoInstance {
			t.Errorf("want %s, have %v", lb.ReasonNoInstance, err)
		}
		if err = fleetStream(t, streamSpec, fleetPool(t, f, []string{"a"}), failing(errBroken))(t.Context(), endpoint.Seq[int](), nil); len(f.calls) != 6 {
			t.Errorf("want 3 attempts on one instance, have %v and %v", f.calls[3:], err)
		}
	})
}

func TestAStreamIsACallOfItsInstanceToItsEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := new(fleet)
		p := fleetPool(t, f, []string{"a"}, lb.PoolPolicy(lb.PeakEWMA()))
		in := func(yield func(int, error) bool) {
			for n := range 3 {
				<-time.After(time.Hour)
				if have := fleetInFlight(p); have != 1 {
					t.Errorf("want one call in flight, have %d", have)
				}
				if !yield(n, nil) {
					return
				}
			}
		}
		if err := fleetStream(t, streamSpec, p, echo)(t.Context(), in, func(int) error { return nil }); err != nil {
			t.Error(err)
		}
		if have := p.Instances()[0]; have.InFlight != 0 || have.Cost != 0 || have.Failed != 0 {
			t.Errorf("want no calls in flight, and that its length says nothing, have %+v", have)
		}
	})
}

func TestWhatSpeaksAgainstTheInstanceOfAStream(t *testing.T) {
	t.Parallel()
	own := errors.New("own")
	for name, row := range map[string]struct {
		do     streamFunc
		in     iter.Seq2[int, error]
		out    error
		ctx    time.Duration
		want   error
		failed uint64
	}{
		"in failed":     {do: echo, in: func(yield func(int, error) bool) { yield(0, own) }, want: own},
		"out failed":    {do: echo, in: endpoint.Seq(1), out: own, want: own},
		"ctx ended":     {do: waiting, in: endpoint.Seq(1), ctx: time.Second, want: context.DeadlineExceeded},
		"it broke":      {do: asking(errBroken), in: endpoint.Seq(1), want: errBroken, failed: 1},
		"it said so":    {do: asking(status.New(status.NotFound, "none")), in: endpoint.Seq(1), want: &status.Error{Code: status.NotFound}},
		"it ended well": {do: echo, in: endpoint.Seq(1, 2)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := fleetPool(t, new(fleet), []string{"a"})
				ctx, cancel := context.WithTimeout(t.Context(), max(row.ctx, time.Nanosecond))
				if row.ctx == 0 {
					cancel()
					ctx = t.Context()
				}
				defer cancel()
				err := fleetStream(t, streamSpec, p, row.do)(ctx, row.in, func(int) error { return row.out })
				if !errors.Is(err, row.want) || (err == nil) != (row.want == nil) {
					t.Errorf("want %v, have %v", row.want, err)
				}
				if have := p.Instances()[0].Failed; row.failed != have {
					t.Errorf("want %d failed calls, have %d", row.failed, have)
				}
			})
		})
	}
}

func waiting(ctx context.Context, _ iter.Seq2[int, error], _ func(int) error) error {
	<-ctx.Done()
	return status.From(ctx.Err())
}

// Transports read in on a goroutine of their own, which may come to it when the attempt has failed already.
func TestAnAttemptThatIsOverReadsNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		late := make(chan struct{})
		seen := make(chan error, 1)
		lagging := func(_ context.Context, in iter.Seq2[int, error], _ func(int) error) error {
			go func() {
				<-late
				for _, err := range in {
					seen <- err
				}
			}()
			return errBroken
		}
		ending := func(ctx context.Context, in iter.Seq2[int, error], out func(int) error) error {
			close(late)
			if err := <-seen; status.CodeOf(err) != status.Canceled {
				t.Errorf("want canceled, have %v", err)
			}
			return echo(ctx, in, out)
		}
		var have []int
		err := fleetStream(t, streamSpec, fleetPool(t, new(fleet), []string{"a", "b"}), lagging, ending)(t.Context(), endpoint.Seq(1, 2, 3), func(n int) error {
			have = append(have, n)
			return nil
		})
		if err != nil || !slices.Equal(have, []int{1, 2, 3}) {
			t.Errorf("want all messages, have %v and %v", have, err)
		}
	})
}

func TestNoStreamBeginsAfterTheCallersEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := new(fleet)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		err := fleetStream(t, streamSpec, fleetPool(t, f, []string{"a"}), echo)(ctx, endpoint.Seq(1), nil)
		if len(f.calls) != 0 || status.CodeOf(err) != status.Canceled || !errors.Is(err, transport.ErrNotSent) {
			t.Errorf("want canceled and not sent, have %v and %v", f.calls, err)
		}
	})
}

func TestMistakesInAStream(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := fleetPool(t, script(nil), nil)
		bind := func(*host) (endpoint.Stream[int, int], error) { return echo, nil }
		const unaryOnly = "EndpointAttemptTimeout, EndpointHedge and EndpointKey are for unary operations"
		key := lb.EndpointKey(func(context.Context, int) string { return "" })
		for _, row := range []struct {
			want string
			err  error
		}{
			{"quarry/Watch: the pool is nil", errorOf(lb.Stream[*host](watchSpec, nil, bind))},
			{"quarry/Watch: bind is nil", errorOf(lb.Stream[*host, int, int](watchSpec, p, nil))},
			{"quarry/X: the operation is unary; use Endpoint", errorOf(lb.Stream(endpoint.Spec{Service: "quarry", Method: "X", Kind: endpoint.Unary}, p, bind))},
			{"quarry/X: the kind 9 is unknown", errorOf(lb.Stream(endpoint.Spec{Service: "quarry", Method: "X", Kind: 9}, p, bind))},
			{"quarry/Watch: " + unaryOnly, errorOf(lb.Stream(watchSpec, p, bind, lb.EndpointAttemptTimeout(1)))},
			{"quarry/Watch: " + unaryOnly, errorOf(lb.Stream(watchSpec, p, bind, lb.EndpointHedge(0.9, 1)))},
			{"quarry/Watch: " + unaryOnly, errorOf(lb.Stream(watchSpec, p, bind, key))},
			{"quarry/Watch: EndpointRetryAttempts(0): want 1 to 10", errorOf(lb.Stream(watchSpec, p, bind, lb.EndpointRetryAttempts(0)))},
		} {
			if row.err == nil || row.err.Error() != "lb: stream of "+row.want {
				t.Errorf("want %q, have %v", row.want, row.err)
			}
		}
	})
}

// What a caller's own messages end with is no reason to open the stream elsewhere.
func TestAStreamThatItsCallerEndsIsNotOpenedAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := new(fleet)
		in := func(yield func(int, error) bool) { yield(0, errBroken) }
		err := fleetStream(t, watchSpec, fleetPool(t, f, []string{"a", "b"}), echo)(t.Context(), in, nil)
		if len(f.calls) != 1 || err != errBroken { //nolint:errorlint // the very one
			t.Errorf("want one attempt and the error of in, have %v and %v", f.calls, err)
		}
	})
}
