package natstransport_test

import (
	"bytes"
	"context"
	"sync"
	"testing"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/transport/nats"
)

// failing are calls, unary and streaming, to servers that do what f does.
func failing(t *testing.T, f func() error, opts ...natstransport.ServerOption) map[string]func() error {
	t.Helper()
	b := newBroker(t)
	b.serve(natstransport.NewServer(unarySpec, func(context.Context, *number) (*number, error) { return &number{}, f() }, opts...),
		natstransport.NewStreamServer(streamSpec, func(ctx context.Context, in inSeq, out func(*number) error) error {
			if err := echo(ctx, in, out); err != nil {
				return err
			}
			return f()
		}, opts...))
	all := make(map[string]func() error)
	for name, call := range calls(t, b.conn()) {
		all[name] = func() error { return call(deadline(t)) }
	}
	return all
}

// calls are calls of the two operations.
func calls(t *testing.T, conn *natstransport.Conn, opts ...natstransport.ClientOption) map[string]func(context.Context) error {
	t.Helper()
	unary := client[*number, *number](t, conn, opts...)
	talk := streamClient[*number, *number](t, conn, opts...)
	return map[string]func(context.Context) error{
		"unary": func(ctx context.Context) error {
			have, err := unary(ctx, &number{})
			if err != nil && have != nil {
				t.Errorf("want no response with an error, have %v", have)
			}
			return err
		},
		"stream": func(ctx context.Context) error {
			return talk(ctx, endpoint.Seq(&number{}), func(*number) error { return nil })
		},
	}
}

// lockedBuffer is a log that a test reads while it is written.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

func (b *lockedBuffer) Reset() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.buf.Reset()
}
