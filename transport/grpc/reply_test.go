package grpctransport_test

import (
	"context"
	"strings"
	"sync"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/stats"
	"google.golang.org/protobuf/proto"

	grpctransport "github.com/ashlar-go/ashlar/transport/grpc"
)

// onlooker is a stats handler that looks at what has been sent, on a goroutine of its own too.
type onlooker struct {
	t    *testing.T
	seen sync.WaitGroup
}

func (o *onlooker) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context   { return ctx }
func (o *onlooker) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }
func (o *onlooker) HandleConn(context.Context, stats.ConnStats)                       {}

func (o *onlooker) HandleRPC(_ context.Context, s stats.RPCStats) {
	out, ok := s.(*stats.OutPayload)
	if !ok {
		return
	}
	for range 2 {
		o.seen.Go(func() { o.look(out) })
	}
	o.look(out)
}

func (o *onlooker) look(out *stats.OutPayload) {
	m, ok := out.Payload.(proto.Message)
	if !ok {
		o.t.Errorf("want a message, have %T", out.Payload)
		return
	}
	sent, ok := m.ProtoReflect().Interface().(*response)
	if !ok {
		o.t.Errorf("want the response in it, have %T", m.ProtoReflect().Interface())
	}
	data, err := proto.Marshal(m)
	again := new(response)
	if err != nil || proto.Unmarshal(data, again) != nil || !proto.Equal(again, sent) {
		o.t.Errorf("want %v once more, have %v, %v", sent, again, err)
	}
	if want, have := proto.Size(sent), proto.Size(m); want != have || out.Length != want {
		o.t.Errorf("want %d bytes, have %d, and %d sent", want, have, out.Length)
	}
}

// The encoding of a response is at hand once; who looks at it afterwards finds the same.
func TestAResponseCanBeEncodedAgain(t *testing.T) {
	t.Parallel()
	o := &onlooker{t: t}
	conn := dial(t, start(t, grpctransport.NewGRPCServer(grpctransport.GRPCOptions(grpc.StatsHandler(o))), grpctransport.NewServer(unarySpec, echo)))
	call := newClient[*request, *response](t, unarySpec, conn)
	var calls sync.WaitGroup
	for i := range 50 {
		calls.Go(func() {
			want := strings.Repeat(string(rune('a'+i%26)), 100*i)
			if have, err := call(t.Context(), requestOf(want)); err != nil || string(have.GetPayload().GetBody()) != want {
				t.Errorf("want %q, have %v, %v", want, have, err)
			}
		})
	}
	calls.Wait()
	o.seen.Wait()
}
