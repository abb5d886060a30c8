package grpctransport_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	grpctransport "github.com/ashlar-go/ashlar/transport/grpc"
)

func TestADialerConnects(t *testing.T) {
	t.Parallel()
	address := start(t, grpctransport.NewGRPCServer(), grpctransport.NewServer(unarySpec, echo))
	dialer, err := grpctransport.Dialer(grpctransport.DialInsecure())
	if err != nil {
		t.Fatal(err)
	}
	for _, target := range []string{address, "passthrough:///" + address} {
		conn, err := dialer(t.Context(), target)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := newClient[*request, *response](t, unarySpec, conn)(t.Context(), &request{}); err != nil {
			t.Errorf("%s: %v", target, err)
		}
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestADialerFailsWhereNobodyAnswers(t *testing.T) {
	t.Parallel()
	dialer, err := grpctransport.Dialer(grpctransport.DialInsecure())
	if err != nil {
		t.Fatal(err)
	}
	closed, silent := listen(t), listen(t)
	if err := closed.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := dialer(t.Context(), closed.Addr().String()); err == nil || !strings.Contains(err.Error(), closed.Addr().String()) {
		t.Errorf("nobody listens: want an error that names the address, have %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := dialer(ctx, silent.Addr().String()); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("nobody accepts: want the end of the context, have %v", err)
	}
}

func TestADialerRefusesWhatIsWrong(t *testing.T) {
	t.Parallel()
	if _, err := grpctransport.Dialer(); err == nil || !strings.Contains(err.Error(), "DialInsecure") {
		t.Errorf("without credentials: want an error that says so, have %v", err)
	}
	dialer, err := grpctransport.Dialer(grpctransport.DialInsecure())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := dialer(t.Context(), "%:::"); err == nil {
		t.Error("want an error for an address that is none")
	}
}

// listen returns a listener that accepts nobody.
func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}
