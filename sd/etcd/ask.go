package etcd

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/ashlar-go/ashlar/sd/internal/driver"
)

// askLimit is how long etcd may take for what takes it no time.
const askLimit = 2 * time.Second

// ask calls f, which asks etcd for something that can be asked for again. When it is given no answer within the first limit, it asks twice
// at the same time, with the second limit. The client asks its members in turn, and so one that hangs is passed over; asking once more
// might meet the same one each time, when just so many other requests are made meanwhile.
func ask[T any](ctx context.Context, first, second time.Duration, f func(ctx context.Context) (T, error)) (T, error) {
	answer := within(ctx, first, f)
	if answer.err == nil || !late(answer.err) || ctx.Err() != nil {
		return answer.value, answer.err
	}
	const twice = 2
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	answers := make(chan answered[T], twice)
	for range twice {
		go func() { answers <- within(ctx, second, f) }()
	}
	for range twice {
		next := <-answers
		if answer.err != nil {
			answer = next
		}
		if next.err == nil {
			cancel() // and wait for the other
		}
	}
	return answer.value, answer.err
}

type answered[T any] struct {
	value T
	err   error
}

func within[T any](ctx context.Context, limit time.Duration, f func(ctx context.Context) (T, error)) (a answered[T]) {
	ctx, cancel := context.WithTimeout(clientv3.WithRequireLeader(ctx), limit)
	defer cancel()
	a.value, a.err = f(ctx)
	return a
}

// late says whether the error is that of a member that did not answer in time, or could not.
func late(err error) bool {
	code := status.Code(err)
	if known, ok := errors.AsType[rpctypes.EtcdError](err); ok {
		code = known.Code()
	}
	return errors.Is(err, context.DeadlineExceeded) || code == codes.DeadlineExceeded || code == codes.Unavailable
}

// failed wraps an error of the client. Its connections are made again soon, and not at the growing intervals of gRPC: who asks has
// intervals of its own.
func failed(client *clientv3.Client, what string, err error) error {
	if client.Ctx().Err() != nil {
		return fmt.Errorf("etcd: %s: %w", what, driver.ErrClosed)
	}
	client.ActiveConnection().ResetConnectBackoff()
	return fmt.Errorf("etcd: %s: %w", what, err)
}
