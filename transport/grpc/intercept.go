package grpctransport

import (
	"context"
	"fmt"
	"reflect"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	grpcstatus "google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// passed is what an interceptor passes on of a unary call.
type passed struct {
	mu   sync.Mutex // held while it is served
	over bool       // the interceptor has returned
}

// intercepted serves the call through the interceptors of the *grpc.Server.
func (s *unaryServer[Req, Resp]) intercepted(
	c *unaryCall, interceptor grpc.UnaryServerInterceptor, info *grpc.UnaryServerInfo,
) (response any, err error) {
	c.message = s.in.fresh()
	if c.err = c.receive(c.message); c.err != nil { // which an interceptor does not see, in generated servers neither
		return s.serve(c)
	}
	defer c.settle(&err)
	return interceptor(c.ctx, c.message, info, func(ctx context.Context, request any) (any, error) {
		c.passed.mu.Lock()
		defer c.passed.mu.Unlock()
		if c.passed.over {
			return nil, grpcstatus.Error(codes.Canceled, "the call has been answered")
		}
		c.ctx, c.request.ctx = ctx, ctx
		m, ok := request.(proto.Message)
		if !ok || reflect.TypeOf(m) != reflect.PointerTo(s.in.elem) {
			return nil, c.fail(fmt.Errorf("an interceptor passed on a request of type %T, want *%v", request, s.in.elem))
		}
		c.message = m
		return s.serve(c)
	})
}

// settle waits for what the interceptor has passed on, since one that watches the time does not. The client gets its error before that.
func (c *unaryCall) settle(err *error) {
	if !c.passed.mu.TryLock() {
		if *err != nil {
			c.hangUp(*err)
		}
		c.passed.mu.Lock()
	}
	c.passed.over = true
	c.passed.mu.Unlock()
}
