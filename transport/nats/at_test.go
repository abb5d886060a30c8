package natstransport_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
	natstransport "github.com/ashlar-go/ashlar/transport/nats"
)

func TestAnInstanceIsCalledByItsPrefix(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	for _, n := range []int{1, 2} {
		prefix := []string{"", "numbers-1", "zone.numbers-2"}[n]
		b.serve(natstransport.NewServer(unarySpec, func(context.Context, *number) (*number, error) { return &number{n}, nil },
			natstransport.ServerPrefix(prefix)))
		b.serve(natstransport.NewStreamServer(streamSpec, echo, natstransport.ServerPrefix(prefix)))
	}
	shared := b.conn()
	dialer, err := natstransport.Dialer(shared)
	if err != nil {
		t.Fatal(err)
	}
	for n, address := range map[int]string{1: "numbers-1", 2: "zone.numbers-2"} {
		conn, err := dialer(t.Context(), address)
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			if have, err := client[*number, *number](t, conn)(t.Context(), &number{}); err != nil || have.N != n {
				t.Errorf("%s: want %d, have %v, %v", address, n, have, err)
			}
		}
		in := func(yield func(*number, error) bool) { yield(&number{n}, nil) }
		var have int
		if err := streamClient[*number, *number](t, conn)(t.Context(), in, func(m *number) error { have = m.N; return nil }); err != nil || have != n {
			t.Errorf("a stream of %s: want %d, have %d, %v", address, n, have, err)
		}
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := client[*number, *number](t, shared)(t.Context(), &number{}); status.CodeOf(err) != status.Unavailable || !errors.Is(err, transport.ErrNotSent) {
		t.Errorf("without the prefix: want unavailable, since nobody serves it, have %v", err)
	}
	within, err := shared.At("zone")
	if err != nil {
		t.Fatal(err)
	}
	if within, err = within.At("numbers-2"); err != nil {
		t.Fatal(err)
	}
	if have, err := client[*number, *number](t, within)(t.Context(), &number{}); err != nil || have.N != 2 {
		t.Errorf("a prefix of a prefix: want 2, have %v, %v", have, err)
	}
	if _, err := natstransport.Dialer(nil); err == nil || !strings.Contains(err.Error(), "nil") {
		t.Errorf("without a connection: want an error that says so, have %v", err)
	}
	for _, prefix := range []string{"", "a b", "a.*", "$SYS", "a..b"} {
		if _, err := dialer(t.Context(), prefix); err == nil {
			t.Errorf("%q: want an error", prefix)
		}
	}
}
