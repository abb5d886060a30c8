package grpctransport_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	"google.golang.org/grpc"

	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
	grpctransport "github.com/ashlar-go/ashlar/transport/grpc"
)

// After several attempts the caller gets the error of the last one, and not grpc-go's text about them.
func TestRetriesOfGRPCGoKeepTheErrorOfTheLastAttempt(t *testing.T) {
	t.Parallel()
	const twice = `{"methodConfig":[{"name":[{}],"retryPolicy":{"maxAttempts":2,"initialBackoff":"0.001s","maxBackoff":"0.001s",` +
		`"backoffMultiplier":1,"retryableStatusCodes":["UNAVAILABLE"]}}]}`
	busy := status.New(status.Unavailable, "no mason is free").WithReason("BUSY")
	var served atomic.Int32
	address := start(t, grpctransport.NewGRPCServer(), grpctransport.NewServer(unarySpec, func(context.Context, *request) (*response, error) {
		served.Add(1)
		return nil, busy
	}))
	call := func(address string) error {
		conn := dial(t, address, grpctransport.DialOptions(grpc.WithDefaultServiceConfig(twice)))
		_, err := newClient[*request, *response](t, unarySpec, conn)(t.Context(), &request{})
		return err
	}
	err := call(address)
	if e := status.As(err); served.Load() != 2 || e == nil || e.Message != busy.Message || e.Reason != busy.Reason || errors.Is(err, transport.ErrNotSent) {
		t.Errorf("want %v after 2 attempts, have %v after %d", busy, err, served.Load())
	}
	err = call("127.0.0.1:1")
	if want := unarySpec.Operation() + " could not be reached"; status.CodeOf(err) != status.Unavailable || status.As(err).Message != want || !errors.Is(err, transport.ErrNotSent) {
		t.Errorf("want %q, have %v", want, err)
	}
}

// A call that was served and whose next attempt finds nobody may not be taken for one that never left.
func TestARetryThatFindsNobodyWasSentAllTheSame(t *testing.T) {
	t.Parallel()
	const twice = `{"methodConfig":[{"name":[{}],"retryPolicy":{"maxAttempts":2,"initialBackoff":"0.1s","maxBackoff":"0.1s",` +
		`"backoffMultiplier":1,"retryableStatusCodes":["UNAVAILABLE"]}}]}`
	s := grpctransport.NewGRPCServer()
	address := start(t, s, grpctransport.NewServer(unarySpec, func(context.Context, *request) (*response, error) {
		go s.Stop()
		return nil, status.New(status.Unavailable, "none")
	}))
	conn := dial(t, address, grpctransport.DialOptions(grpc.WithDefaultServiceConfig(twice)))
	_, err := newClient[*request, *response](t, unarySpec, conn)(t.Context(), &request{})
	if status.CodeOf(err) != status.Unavailable || errors.Is(err, transport.ErrNotSent) || strings.Contains(status.As(err).Message, "127.0.0.1") {
		t.Errorf("want unavailable, sent and without an address, have %v", err)
	}
}

// An answer that came is the answer, also where the caller's context has ended meanwhile.
func TestAnAnswerAtTheEndOfTheContextIsKept(t *testing.T) {
	t.Parallel()
	address := start(t, grpctransport.NewGRPCServer(), grpctransport.NewServer(unarySpec, func(context.Context, *request) (*response, error) {
		return nil, status.New(status.NotFound, "none")
	}))
	ctx, cancel := context.WithCancel(t.Context())
	conn := dial(t, address, grpctransport.DialOptions(grpc.WithUnaryInterceptor(
		func(ctx context.Context, method string, r, reply any, conn *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
			defer cancel()
			return invoke(ctx, method, r, reply, conn, opts...)
		})))
	if _, err := newClient[*request, *response](t, unarySpec, conn)(ctx, &request{}); status.CodeOf(err) != status.NotFound {
		t.Errorf("want not found, have %v", err)
	}
}
