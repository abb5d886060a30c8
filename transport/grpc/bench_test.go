package grpctransport_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	testpb "google.golang.org/grpc/interop/grpc_testing"
)

// generated is a server by grpc-go's generated code.
type generated struct {
	testpb.UnimplementedTestServiceServer
}

func (generated) UnaryCall(_ context.Context, r *request) (*response, error) {
	return &response{Payload: r.GetPayload()}, nil
}

func (generated) FullDuplexCall(stream grpc.BidiStreamingServer[ask, answer]) error {
	for {
		m, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := stream.Send(&answer{Payload: m.GetPayload()}); err != nil {
			return err
		}
	}
}

// inParallel calls f n times, by so many callers at a time.
func inParallel(callers, n int, f func()) {
	var wg sync.WaitGroup
	for range callers {
		wg.Go(func() {
			for range n / callers {
				f()
			}
		})
	}
	wg.Wait()
}

// contest runs the contestants in turns of n, and reports the processor time that each took for one, on both sides together and on the
// server's alone, and how much the first took in relation to the others.
func contest(b *testing.B, n int, kinds []string, run func(kind string, conn *grpc.ClientConn) func(n int)) {
	b.Helper()
	defer debug.SetGCPercent(debug.SetGCPercent(gcPercent))
	type spent struct{ server, both time.Duration }
	processes, runs, sums := make([]*process, len(kinds)), make([]func(int), len(kinds)), make([]spent, len(kinds))
	for i, kind := range kinds {
		processes[i] = startRival(b, kind)
		runs[i] = run(kind, processes[i].conn)
		runs[i](n)
	}
	turns := 0
	for b.Loop() {
		turns++
		for i, p := range processes {
			client, server := processorTime(), p.used(b)
			runs[i](n)
			served := p.used(b) - server
			sums[i].server += served
			sums[i].both += served + processorTime() - client
		}
	}
	for i, kind := range kinds {
		b.ReportMetric(float64(sums[i].both.Nanoseconds())/float64(n*turns), kind+"-ns")
		b.ReportMetric(float64(sums[i].server.Nanoseconds())/float64(n*turns), kind+"-server-ns")
		if i > 0 {
			b.ReportMetric(float64(sums[0].both)/float64(sums[i].both), "x-"+kind)
			b.ReportMetric(float64(sums[0].server)/float64(sums[i].server), "server-x-"+kind)
		}
	}
	b.ReportMetric(0, "ns/op") // of all together, which says nothing
}

// unaryCall is one call, by a client of Ashlar or by a generated one.
func unaryCall(t testing.TB, kind string, conn *grpc.ClientConn) func() {
	t.Helper()
	message := requestOf("a message of some forty bytes, as they are")
	call := newClient[*request, *response](t, unarySpec, conn)
	if kind != ashlar {
		client := testpb.NewTestServiceClient(conn)
		call = func(ctx context.Context, r *request) (*response, error) { return client.UnaryCall(ctx, r) }
	}
	return func() {
		if _, err := call(t.Context(), message); err != nil {
			t.Error(err)
		}
	}
}

// talking is a stream of n messages there and back, by a client of Ashlar or by a generated one.
func talking(t testing.TB, kind string, conn *grpc.ClientConn) func(n int) {
	t.Helper()
	message := askOf("a message of some forty bytes, as they are")
	if kind != ashlar {
		return func(n int) { generatedTalk(t, conn, message, n) }
	}
	call := newStreamClient[*ask, *answer](t, talkSpec, conn)
	return func(n int) {
		if err := call(t.Context(), repeated(message, n), func(*answer) error { return nil }); err != nil {
			t.Error(err)
		}
	}
}

// generatedTalk sends and receives n messages with a generated client.
func generatedTalk(t testing.TB, conn *grpc.ClientConn, message *ask, n int) {
	t.Helper()
	stream, err := testpb.NewTestServiceClient(conn).FullDuplexCall(t.Context())
	if err != nil {
		t.Error(err)
		return
	}
	go func() {
		for range n {
			if err := stream.Send(message); err != nil {
				t.Error(err)
				return
			}
		}
		_ = stream.CloseSend()
	}()
	for {
		if _, err := stream.Recv(); err != nil {
			if !errors.Is(err, io.EOF) {
				t.Error(err)
			}
			return
		}
	}
}

// repeated is an in of n messages.
func repeated(message *ask, n int) seq[*ask] {
	return func(yield func(*ask, error) bool) {
		for range n {
			if !yield(message, nil) {
				return
			}
		}
	}
}

func BenchmarkUnary(b *testing.B) {
	contest(b, 8000, []string{ashlar, same, plain}, func(kind string, conn *grpc.ClientConn) func(int) {
		call := unaryCall(b, kind, conn)
		return func(n int) { inParallel(16, n, call) }
	})
}

func BenchmarkStreamMessage(b *testing.B) {
	contest(b, 100_000, []string{ashlar, same, plain}, func(kind string, conn *grpc.ClientConn) func(int) {
		return talking(b, kind, conn)
	})
}

func BenchmarkStream(b *testing.B) {
	contest(b, 2000, []string{ashlar, same, plain}, func(kind string, conn *grpc.ClientConn) func(int) {
		one := talking(b, kind, conn)
		return func(n int) { inParallel(16, n, func() { one(1) }) }
	})
}

// BenchmarkWorkers is what the default number of workers was found by.
func BenchmarkWorkers(b *testing.B) {
	kinds := []string{workersOf + "0", workersOf + "8", workersOf + "16", workersOf + "32", workersOf + "64", workersOf + "128"}
	for _, callers := range []int{1, 16, 128} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			contest(b, 128*50, kinds, func(_ string, conn *grpc.ClientConn) func(int) {
				call := unaryCall(b, ashlar, conn)
				return func(n int) { inParallel(callers, n, call) }
			})
		})
	}
}

func BenchmarkAllocations(b *testing.B) {
	for _, kind := range []string{ashlar, same} {
		conn := rivalConn(b, kind, serve(b, rivalServer(kind)))
		call, talk := unaryCall(b, kind, conn), talking(b, kind, conn)
		b.Run("unary/"+kind, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				call()
			}
		})
		b.Run("message/"+kind, func(b *testing.B) {
			b.ReportAllocs()
			talk(b.N)
		})
	}
}
