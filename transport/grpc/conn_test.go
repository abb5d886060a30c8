package grpctransport_test

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/test/bufconn"

	"github.com/ashlar-go/ashlar/status"
	grpctransport "github.com/ashlar-go/ashlar/transport/grpc"
)

// What the connections do in time is seen in bubbles of synctest, by the other side, which speaks HTTP/2 by hand.
const (
	preface       = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" // RFC 9113, section 3.4
	frameSettings = 4
	framePing     = 6
	frameGoAway   = 7
	flagAck       = 1
)

// frames is a connection as the other side has it.
type frames struct {
	net.Conn
	t testing.TB
}

func (f frames) send(kind, flags byte, payload ...byte) {
	f.t.Helper()
	head := []byte{0, 0, byte(len(payload)), kind, flags, 0, 0, 0, 0}
	if _, err := f.Write(append(head, payload...)); err != nil && !errors.Is(err, io.ErrClosedPipe) {
		f.t.Error(err)
	}
}

// next returns the next frame that is no acknowledgement, and answers pings if it is told to.
func (f frames) next(answer bool) (kind byte, err error) {
	for {
		var head [9]byte
		if _, err := io.ReadFull(f, head[:]); err != nil {
			return 0, err
		}
		payload := make([]byte, binary.BigEndian.Uint32([]byte{0, head[0], head[1], head[2]}))
		if _, err := io.ReadFull(f, payload); err != nil {
			return 0, err
		}
		switch {
		case head[4]&flagAck != 0 && head[3] != frameGoAway:
		case head[3] == framePing && answer:
			f.send(framePing, flagAck, payload...)
		default:
			return head[3], nil
		}
	}
}

// until reads until there is a frame of that kind, and returns when that was; an error counts as the kind 0.
func (f frames) until(kind byte, answer bool) time.Time {
	for {
		have, err := f.next(answer)
		if err != nil {
			have = 0
		}
		if have == kind || err != nil {
			if have != kind {
				f.t.Errorf("want a frame %d, have %v", kind, err)
			}
			return time.Now()
		}
	}
}

// bubble runs f in a bubble with a server, and the other end of a connection to it.
func bubble(t *testing.T, f func(conn frames)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		l := bufconn.Listen(1 << 20)
		s := grpctransport.NewGRPCServer()
		done := make(chan error, 1)
		go func() { done <- s.Serve(l) }()
		conn, err := l.DialContext(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		f(frames{conn, t})
		_ = conn.Close()
		s.Stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func wantAfter(t testing.TB, what string, began time.Time, want time.Duration, have time.Time) {
	t.Helper()
	if d := have.Sub(began); d < want || d > want+want/20+time.Second {
		t.Errorf("%s: want after %v, have after %v", what, want, d)
	}
}

func TestAClientThatSaysNothingIsCutOff(t *testing.T) {
	t.Parallel()
	bubble(t, func(conn frames) {
		began := time.Now()
		wantAfter(conn.t, "the end", began, 10*time.Second, conn.until(0, false))
	})
}

func TestASilentClientIsAskedWhetherItIsThere(t *testing.T) {
	t.Parallel()
	bubble(t, func(conn frames) {
		began := time.Now()
		_, _ = io.WriteString(conn, preface)
		conn.send(frameSettings, 0)
		wantAfter(conn.t, "the ping", began, 30*time.Second, conn.until(framePing, false))
		wantAfter(conn.t, "the end", began, 30*time.Second+grpctransport.KeepaliveTimeout, conn.until(0, false))
	})
}

func TestAnIdleConnectionIsClosed(t *testing.T) {
	t.Parallel()
	bubble(t, func(conn frames) {
		began := time.Now()
		_, _ = io.WriteString(conn, preface)
		conn.send(frameSettings, 0)
		wantAfter(conn.t, "GOAWAY", began, 10*time.Minute, conn.until(frameGoAway, true))
	})
}

func TestPingsAreTakenEveryTenSeconds(t *testing.T) {
	t.Parallel()
	for every, want := range map[time.Duration]bool{10 * time.Second: true, 5 * time.Second: false} {
		bubble(t, func(conn frames) {
			_, _ = io.WriteString(conn, preface)
			conn.send(frameSettings, 0)
			refused := make(chan struct{})
			go func() {
				for {
					kind, err := conn.next(true)
					if kind == frameGoAway {
						close(refused)
						return
					}
					if err != nil {
						return
					}
				}
			}()
			for range 20 {
				<-time.After(every)
				conn.send(framePing, 0, make([]byte, 8)...)
			}
			<-time.After(time.Second)
			select {
			case <-refused:
				if want {
					conn.t.Errorf("a ping every %v was refused", every)
				}
			default:
				if !want {
					conn.t.Errorf("a ping every %v was taken", every)
				}
			}
		})
	}
}

// dialled is a connection of Dial in a bubble.
type dialled struct {
	*grpc.ClientConn
	t *testing.T
}

// clientBubble runs f in a bubble with a connection of Dial, whose other end serve has.
func clientBubble(t *testing.T, f func(conn dialled), serve func(frames), opts ...grpctransport.DialOption) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		l := bufconn.Listen(1 << 20)
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				serve(frames{c, t})
				_ = c.Close()
			}
		}()
		opts = append(opts, grpctransport.DialInsecure(), grpctransport.DialOptions(
			grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return l.DialContext(ctx) })))
		conn, err := grpctransport.Dial("passthrough:///bubble", opts...)
		if err != nil {
			t.Fatal(err)
		}
		f(dialled{conn, t})
		_ = conn.Close()
		_ = l.Close()
		<-ended
	})
}

func TestASilentServerIsAskedWhetherItIsThere(t *testing.T) {
	t.Parallel()
	for want, opts := range map[time.Duration][]grpctransport.DialOption{
		grpctransport.DefaultKeepalive: nil, time.Minute: {grpctransport.DialKeepalive(time.Minute)},
	} {
		pings := make(chan time.Time, 1)
		clientBubble(t, func(conn dialled) {
			t := conn.t
			began := time.Now()
			_, err := newClient[*request, *response](t, unarySpec, conn)(t.Context(), &request{})
			if status.CodeOf(err) != status.Unavailable {
				t.Errorf("want unavailable, have %v", err)
			}
			wantAfter(t, "the ping", began, want, <-pings)
			wantAfter(t, "the end", began, want+grpctransport.KeepaliveTimeout, time.Now())
		}, func(conn frames) {
			_, _ = io.ReadFull(conn, make([]byte, len(preface)))
			conn.send(frameSettings, 0)
			for {
				kind, err := conn.next(false)
				if err != nil {
					return
				}
				if kind == framePing {
					pings <- time.Now()
				}
			}
		}, opts...)
	}
}

func TestConnectingHasALimitAndIsTriedAgain(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		hangs bool
		first time.Duration // from the first attempt to the second
		limit time.Duration // from one to the next
	}{
		"refused": {false, 100 * time.Millisecond, 6 * time.Second}, // 5 s, give or take a fifth
		"silent":  {true, 5 * time.Second, 12 * time.Second},        // and as long for the attempt
	} {
		synctest.Test(t, func(t *testing.T) {
			attempts := make(chan time.Time, 100)
			conn, err := grpctransport.Dial("passthrough:///bubble", grpctransport.DialInsecure(), grpctransport.DialOptions(
				grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) {
					attempts <- time.Now()
					if tt.hangs {
						<-ctx.Done()
					}
					return nil, errors.New("no connection")
				})))
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
			defer cancel()
			call := newClient[*request, *response](t, unarySpec, conn, grpctransport.ClientCallOptions(grpc.WaitForReady(true)))
			if _, err := call(ctx, &request{}); status.CodeOf(err) != status.DeadlineExceeded {
				t.Errorf("%s: want deadline exceeded, have %v", name, err)
			}
			last := <-attempts
			for n, began := 0, last; len(attempts) > 0; n++ {
				at := <-attempts
				wait := at.Sub(last)
				if n == 0 && (wait < tt.first*8/10 || wait > tt.first*12/10) {
					t.Errorf("%s: want the second attempt after %v, have after %v", name, tt.first, wait)
				}
				if wait > tt.limit {
					t.Errorf("%s: attempt %d, %v after the first, came %v after the one before, want at most %v", name, n, at.Sub(began), wait, tt.limit)
				}
				last = at
			}
		})
	}
}
