package transporttest_test

import (
	"context"
	"iter"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
)

type inSeq = iter.Seq2[message, error]

// requests changes the messages that a server gets: f returns what becomes of message n.
func requests(f func(n int, m message) []message) func(s stream) stream {
	return func(s stream) stream {
		return func(ctx context.Context, in inSeq, out func(message) error) error {
			return s(ctx, func(yield func(message, error) bool) {
				n := 0
				for m, err := range in {
					if err != nil {
						yield(m, err)
						return
					}
					for _, m := range f(n, m) {
						if !yield(m, nil) {
							return
						}
					}
					n++
				}
			}, out)
		}
	}
}

// responses changes the messages that a client gets, likewise.
func responses(f func(n int, m message) []message) func(s stream, spec endpoint.Spec) stream {
	return func(s stream, _ endpoint.Spec) stream {
		return func(ctx context.Context, in inSeq, out func(message) error) error {
			n := 0
			return s(ctx, in, func(m message) error {
				for _, m := range f(n, m) {
					if err := out(m); err != nil {
						return err
					}
				}
				n++
				return nil
			})
		}
	}
}

func brokenMessages() []breakage {
	same := func(f func(m *message)) func(int, message) []message {
		return func(_ int, m message) []message {
			f(&m)
			return []message{m}
		}
	}
	return []breakage{{
		name:   "loses zero bytes of texts",
		notice: []string{"Messages"},
		server: requests(same(func(m *message) { m.Text = strings.ReplaceAll(m.Text, "\x00", "") })),
	}, {
		name:   "has 64-bit floats only",
		notice: []string{"Messages"},
		client: responses(same(func(m *message) { m.Number = int64(float64(m.Number) / 2 * 2) })),
	}, {
		name:   "loses a request of a long stream",
		notice: []string{"Order"},
		server: requests(func(n int, m message) []message {
			if n == 150 {
				return nil
			}
			return []message{m}
		}),
	}, {
		name:   "repeats a response of a long stream",
		notice: []string{"Order"},
		client: responses(func(n int, m message) []message {
			if n == 150 {
				return []message{m, m}
			}
			return []message{m}
		}),
	}, {
		name:   "swaps two responses of a long stream",
		notice: []string{"Order"},
		client: func(s stream, spec endpoint.Spec) stream {
			var held message
			return responses(func(n int, m message) []message {
				switch n {
				case 150:
					held = m
					return nil
				case 151:
					return []message{m, held}
				}
				return []message{m}
			})(s, spec)
		},
	}, {
		name:   "loses the second request of a stream",
		notice: []string{"Messages", "Large", "MessageHooks", "Validation", "Order", "BothWays", "AtOnce", "BackPressure"},
		server: requests(func(n int, m message) []message {
			if n == 1 {
				return nil
			}
			return []message{m}
		}),
	}, {
		name:   "cannot end a stream that had no message",
		notice: []string{"NoMessages", "ServerMiddleware"},
		client: func(s stream, _ endpoint.Spec) stream {
			return func(ctx context.Context, in inSeq, out func(message) error) error {
				some := false
				err := s(ctx, in, func(m message) error { some = true; return out(m) })
				if err == nil && !some {
					return status.New(status.Internal, "nothing came")
				}
				return err
			}
		},
	}, {
		name:   "cannot carry large messages",
		notice: []string{"Large"},
		client: responses(same(func(m *message) {
			if len(m.Text) > 60_000 {
				m.Text = m.Text[:60_000]
			}
		})),
	}, {
		name:   "holds responses back",
		notice: []string{"AtOnce", "BackPressure"},
		client: func(s stream, _ endpoint.Spec) stream {
			return func(ctx context.Context, in inSeq, out func(message) error) error {
				const most = 150
				var held []message
				flush := func() error {
					for _, m := range held {
						if err := out(m); err != nil {
							return err
						}
					}
					held = nil
					return nil
				}
				err := s(ctx, in, func(m message) error {
					if held = append(held, m); len(held) < most {
						return nil
					}
					return flush()
				})
				if failed := flush(); failed != nil {
					return failed
				}
				return err
			}
		},
	}, {
		name:   "serves one call at a time",
		notice: []string{"Concurrent", "ManyStreams", "Shutdown", "HeaderOfCall"},
		client: func(s stream, _ endpoint.Spec) stream {
			var one sync.Mutex
			return func(ctx context.Context, in inSeq, out func(message) error) error {
				if !one.TryLock() {
					return status.New(status.Unavailable, "busy")
				}
				defer one.Unlock()
				<-time.After(time.Millisecond)
				return s(ctx, in, out)
			}
		},
	}, {
		name:   "cannot read while it sends",
		notice: []string{"BothWays"},
		server: oneWay,
	}}
}

// oneWay fails when something is sent while somebody waits for a request.
func oneWay(s stream) stream {
	const moment = time.Millisecond // in which another goroutine does what it is about to do
	return func(ctx context.Context, in inSeq, out func(message) error) error {
		var reading atomic.Bool
		return s(ctx, func(yield func(message, error) bool) {
			next, stop := iter.Pull2(in)
			defer stop()
			for {
				reading.Store(true)
				<-time.After(moment)
				m, err, more := next()
				reading.Store(false)
				if !more || !yield(m, err) || err != nil {
					return
				}
			}
		}, func(m message) error {
			if reading.Load() {
				return status.New(status.Internal, "busy reading")
			}
			<-time.After(moment)
			return out(m)
		})
	}
}
