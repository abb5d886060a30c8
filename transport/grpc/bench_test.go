package grpctransport_test

import (
	"context"
	"errors"
	"io"
	"iter"
	"sync"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	testpb "google.golang.org/grpc/interop/grpc_testing"

	grpctransport "github.com/ashlar-go/ashlar/transport/grpc"
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

// rivals are the same service by Ashlar, by grpc-go with Ashlar's options, and by grpc-go as it comes.
func rivals(b testing.TB) (ashlar, same, plain *grpc.ClientConn) {
	b.Helper()
	ashlar = dial(b, start(b, grpctransport.NewGRPCServer(),
		grpctransport.NewServer(unarySpec, echo), grpctransport.NewStreamServer(talkSpec, echoes)))
	options := grpctransport.NewGRPCServer()
	testpb.RegisterTestServiceServer(options, generated{})
	same = dial(b, start(b, options))
	bare := grpc.NewServer()
	testpb.RegisterTestServiceServer(bare, generated{})
	plain, err := grpc.NewClient("passthrough:///"+serve(b, bare), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = plain.Close() })
	return ashlar, same, plain
}

// processorTime returns what the process has used.
func processorTime() time.Duration {
	var usage syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// inParallel calls f n times, 16 at a time.
func inParallel(n int, f func()) {
	const callers = 16
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

// compare runs the contestants in turns, and reports the processor time of each, and of the first in relation to the others.
func compare(b *testing.B, turn int, names []string, run []func(n int)) {
	b.ReportAllocs()
	spent := make([]time.Duration, len(run))
	best := make([]time.Duration, len(run))
	for _, f := range run {
		f(turn)
	}
	turns := 0
	for b.Loop() {
		turns++
		for i, f := range run {
			before := processorTime()
			f(turn)
			used := processorTime() - before
			spent[i] += used
			if best[i] == 0 || used < best[i] {
				best[i] = used
			}
		}
	}
	for i, name := range names {
		b.ReportMetric(float64(spent[i].Nanoseconds())/float64(turn*turns), name+"-cpu-ns")
		if i > 0 {
			b.ReportMetric(float64(spent[0])/float64(spent[i]), "x-"+name)
			b.ReportMetric(float64(best[0])/float64(best[i]), "best-x-"+name)
		}
	}
}

// unaryCalls are one call by a client of Ashlar and one by a generated client.
func unaryCalls(t testing.TB, ashlar, plain *grpc.ClientConn) (ours, theirs func()) {
	t.Helper()
	message := requestOf("a message of some forty bytes, as they are")
	call := newClient[*request, *response](t, unarySpec, ashlar)
	client := testpb.NewTestServiceClient(plain)
	ours = func() {
		if _, err := call(t.Context(), message); err != nil {
			t.Error(err)
		}
	}
	theirs = func() {
		if _, err := client.UnaryCall(t.Context(), message); err != nil {
			t.Error(err)
		}
	}
	return ours, theirs
}

func BenchmarkUnary(b *testing.B) {
	ashlar, same, plain := rivals(b)
	ours, theirs := unaryCalls(b, ashlar, same)
	_, asItComes := unaryCalls(b, ashlar, plain)
	b.Run("processor", func(b *testing.B) {
		compare(b, 16000, []string{"ashlar", "same", "plain"}, []func(int){
			func(n int) { inParallel(n, ours) },
			func(n int) { inParallel(n, theirs) },
			func(n int) { inParallel(n, asItComes) },
		})
	})
	for name, f := range map[string]func(){"ashlar": ours, "grpc-go": theirs} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				f()
			}
		})
	}
}

// generatedTalk sends and receives n messages with a generated client.
func generatedTalk(b testing.TB, conn *grpc.ClientConn, message *ask, n int) {
	b.Helper()
	stream, err := testpb.NewTestServiceClient(conn).FullDuplexCall(b.Context())
	if err != nil {
		b.Error(err)
		return
	}
	go func() {
		for range n {
			if err := stream.Send(message); err != nil {
				b.Error(err)
				return
			}
		}
		_ = stream.CloseSend()
	}()
	for {
		if _, err := stream.Recv(); err != nil {
			if !errors.Is(err, io.EOF) {
				b.Error(err)
			}
			return
		}
	}
}

// repeated is an in of n messages.
func repeated(message *ask, n int) iter.Seq2[*ask, error] {
	return func(yield func(*ask, error) bool) {
		for range n {
			if !yield(message, nil) {
				return
			}
		}
	}
}

// talks are streams of n messages there and back.
func talks(t testing.TB, ashlar, plain *grpc.ClientConn) (ours, theirs func(n int)) {
	t.Helper()
	message := askOf("a message of some forty bytes, as they are")
	call := newStreamClient[*ask, *answer](t, talkSpec, ashlar)
	ours = func(n int) {
		if err := call(t.Context(), repeated(message, n), func(*answer) error { return nil }); err != nil {
			t.Error(err)
		}
	}
	return ours, func(n int) { generatedTalk(t, plain, message, n) }
}

func BenchmarkStreamMessage(b *testing.B) {
	ashlar, same, _ := rivals(b)
	ours, theirs := talks(b, ashlar, same)
	b.Run("processor", func(b *testing.B) {
		compare(b, 20000, []string{"ashlar", "same"}, []func(int){ours, theirs})
	})
	for name, f := range map[string]func(int){"ashlar": ours, "grpc-go": theirs} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			f(b.N)
		})
	}
}
