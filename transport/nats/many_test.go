package natstransport_test

import (
	"context"
	"iter"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go/micro"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/internal/testserver"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport/nats"
)

//nolint:paralleltest // goroutines are counted for the whole process
func TestAThousandStreamsCancelledAtAnyTimeLeaveNothing(t *testing.T) {
	b := newBroker(t)
	const many = 1000
	var began, ended atomic.Int64
	serverConn, clientConn := b.connect(), b.connect()
	service := b.serveOn(serverConn, []*natstransport.Server{natstransport.NewStreamServer(streamSpec,
		func(ctx context.Context, in inSeq, out func(*number) error) error {
			began.Add(1)
			defer ended.Add(1)
			err := echo(ctx, in, out)
			if ctx.Err() == nil {
				t.Error("a stream ended and its context did not")
			}
			return err
		})})
	call := streamClient[*number, *number](t, b.connOn(clientConn))
	warm, stop := context.WithCancel(t.Context())
	stop()
	_ = call(warm, endpoint.Seq[*number](), nil)
	subscriptions := [2]int{serverConn.NumSubscriptions(), clientConn.NumSubscriptions()}
	goroutines := runtime.NumGoroutine()
	var all, open sync.WaitGroup
	open.Add(many)
	for range many {
		all.Go(func() {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			messages := rand.IntN(20)
			opened := sync.OnceFunc(open.Done)
			in := func(yield func(*number, error) bool) {
				for yield(&number{1}, nil) {
					runtime.Gosched()
				}
			}
			err := call(ctx, in, func(*number) error {
				opened()
				if messages--; messages < 0 {
					open.Wait() // until all are open
					cancel()
				}
				return nil
			})
			if status.CodeOf(err) != status.Canceled {
				opened()
				t.Errorf("want canceled, have %v", err)
			}
		})
	}
	all.Wait()
	nc := b.connect()
	eventually(t, "the end of all streams", func() bool { return began.Load() == many && ended.Load() == many })
	eventually(t, "their end in the statistics", func() bool {
		data := string(ask[micro.Stats](t, nc, micro.StatsVerb, "numbers", service.ID()).Endpoints[0].Data)
		return strings.Contains(data, `"in_flight":0`)
	})
	if have := [2]int{serverConn.NumSubscriptions(), clientConn.NumSubscriptions()}; have != subscriptions {
		t.Errorf("subscriptions: want %v, have %v", subscriptions, have)
	}
	const idle = 50 // workers that are kept, and the connection of this test
	eventually(t, "the end of the goroutines", func() bool { return runtime.NumGoroutine() <= goroutines+idle })
}

// What a slow reader does not read is held up where it comes from: it is neither in memory nor lost.
//
//nolint:paralleltest // memory is measured for the whole process
func TestASlowReaderTakesBoundedMemory(t *testing.T) {
	b := newBroker(t)
	const size, messages = 4000, 10_000 // 40 MB
	var sent atomic.Int64
	b.serve(natstransport.NewStreamServer(streamSpec, func(_ context.Context, _ iter.Seq2[int, error], out func(string) error) error {
		message := strings.Repeat("x", size)
		for range messages {
			if err := out(message); err != nil {
				return err
			}
			sent.Add(1)
		}
		return nil
	}))
	call := streamClient[int, string](t, b.conn())
	held := make(chan struct{})
	received := 0
	var before, during runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	go func() {
		defer close(held)
		last := int64(-1)
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		for now := range tick.C { // until nothing more goes out
			_ = now
			n := sent.Load()
			if n == last && n > 0 {
				break
			}
			last = n
		}
		runtime.GC()
		runtime.ReadMemStats(&during)
		const most = natstransport.DefaultWindowBytes/size + 2
		if last > most {
			t.Errorf("want at most %d messages on their way, have %d", most, last)
		}
		if grown := int64(during.HeapAlloc) - int64(before.HeapAlloc); grown > 8<<20 {
			t.Errorf("want less than 8 MiB, have %d", grown)
		}
	}()
	if err := call(t.Context(), endpoint.Seq[int](), func(string) error {
		<-held
		received++
		return nil
	}); err != nil || received != messages {
		t.Errorf("want all %d messages, have %d, %v", messages, received, err)
	}
}

func TestAHundredThousandMessagesArriveInOrder(t *testing.T) {
	t.Parallel()
	const many = 100_000
	call := stream(t, func(_ context.Context, in iter.Seq2[int, error], out func(int) error) error {
		for n, err := range in {
			if err != nil {
				return err
			}
			if err := out(n); err != nil {
				return err
			}
		}
		return nil
	}, nil)
	in := func(yield func(int, error) bool) {
		for n := range many {
			if !yield(n, nil) {
				return
			}
		}
	}
	next := 0
	if err := call(t.Context(), in, func(n int) error {
		if n != next {
			t.Fatalf("want %d, have %d", next, n)
		}
		next++
		return nil
	}); err != nil || next != many {
		t.Errorf("want all, have %d, %v", next, err)
	}
}

// When a NATS server dies, those who were connected to it go to another one of the cluster, and are found there.
func TestAClusterThatLosesAServerServesOn(t *testing.T) {
	t.Parallel()
	nodes := testserver.StartNATSCluster(t, 3)
	at := func(i int) *broker { return &broker{nodes[i], t} }
	serverConn := at(0).connect()
	at(0).serveOn(serverConn, []*natstransport.Server{natstransport.NewServer(unarySpec, double), natstransport.NewStreamServer(streamSpec, echo)})
	conn := at(1).conn()
	all := calls(t, conn)
	reach := func() {
		for name, call := range all {
			eventually(t, name+" over the cluster", func() bool {
				ctx, cancel := context.WithTimeout(t.Context(), time.Second) // what is on its way when a NATS server dies may be lost
				defer cancel()
				err := call(ctx)
				if code := status.CodeOf(err); err != nil && code != status.Unavailable && code != status.DeadlineExceeded {
					t.Fatalf("%s: %v", name, err)
				}
				return err == nil
			})
		}
	}
	reach()
	nodes[0].Kill()
	back(t, serverConn)
	reach()
}
