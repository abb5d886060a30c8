package grpctransport_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	grpctransport "github.com/ashlar-go/ashlar/transport/grpc"
)

// attacker speaks HTTP/2 by the frame, which no client of gRPC does.
type attacker struct {
	net.Conn

	framer *http2.Framer
	gone   chan struct{} // closed when the server has closed the connection
}

func attack(t *testing.T, address string) *attacker {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.SetDeadline(time.Now().Add(time.Minute))
	a := &attacker{Conn: conn, framer: http2.NewFramer(conn, nil), gone: make(chan struct{})}
	if _, err := io.WriteString(conn, http2.ClientPreface); err != nil {
		t.Fatal(err)
	}
	if err := a.framer.WriteSettings(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(a.gone)
		_, _ = io.Copy(io.Discard, conn)
	}()
	t.Cleanup(func() {
		_ = conn.Close()
		<-a.gone
	})
	return a
}

// header returns the block of a call.
func header(t *testing.T, path string) []byte {
	t.Helper()
	var block bytes.Buffer
	encoder := hpack.NewEncoder(&block)
	for _, field := range [][2]string{
		{":method", "POST"}, {":scheme", "http"}, {":path", path}, {":authority", "x"}, {"content-type", "application/grpc"}, {"te", "trailers"},
	} {
		if err := encoder.WriteField(hpack.HeaderField{Name: field[0], Value: field[1]}); err != nil {
			t.Fatal(err)
		}
	}
	return block.Bytes()
}

// CVE-2023-44487: a call that is reset at once makes room for the next one on the connection, and its handler may still run.
func TestRapidResetRunsNoMoreHandlersThanAConnectionMayHave(t *testing.T) {
	t.Parallel()
	var now, most atomic.Int64
	gate := make(chan struct{})
	address := start(t, grpctransport.NewGRPCServer(), grpctransport.NewStreamServer(talkSpec, func(context.Context, asks, func(*answer) error) error {
		n := now.Add(1)
		defer now.Add(-1)
		for old := most.Load(); n > old; old = most.Load() {
			most.CompareAndSwap(old, n)
		}
		<-gate // whatever becomes of the call
		return nil
	}), grpctransport.NewServer(unarySpec, func(context.Context, *request) (*response, error) { return &response{}, nil }))
	a := attack(t, address)
	sent := make(chan error, 1)
	block := header(t, "/grpc.testing.TestService/FullDuplexCall")
	go func() {
		sent <- func() error {
			for i := range uint32(4 * grpctransport.DefaultMaxStreams) {
				id := 2*i + 1
				err := a.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: block, EndHeaders: true})
				if err = errors.Join(err, a.framer.WriteRSTStream(id, http2.ErrCodeCancel)); err != nil {
					return err
				}
			}
			return nil
		}()
	}()
	call := newClient[*request, *response](t, unarySpec, dial(t, address))
	for range 100 {
		if _, err := call(t.Context(), &request{}); err != nil {
			t.Fatalf("want others served meanwhile, have %v", err)
		}
	}
	for most.Load() < grpctransport.DefaultMaxStreams {
		select {
		case err := <-sent: // the server reads on only where handlers end
			if err != nil {
				t.Fatal(err)
			}
			sent = nil
		case <-a.gone:
			t.Fatal("want the attacker held up, and not an end of the connection")
		case <-time.After(time.Millisecond):
		}
	}
	if n := most.Load(); n > grpctransport.DefaultMaxStreams {
		t.Errorf("want %d handlers at most, have %d", grpctransport.DefaultMaxStreams, n)
	}
	close(gate)
	if sent != nil {
		if err := <-sent; err != nil {
			t.Error(err)
		}
	}
	if n := most.Load(); n > grpctransport.DefaultMaxStreams {
		t.Errorf("want %d handlers at most, have %d", grpctransport.DefaultMaxStreams, n)
	}
}

// CVE-2024-27316 and its kin: a header that never ends.
func TestAHeaderThatNeverEndsEndsTheConnection(t *testing.T) {
	t.Parallel()
	const limit = 64 << 20
	address := start(t, grpctransport.NewGRPCServer())
	a := attack(t, address)
	if err := a.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: header(t, "/x/y")}); err != nil {
		t.Fatal(err)
	}
	var block bytes.Buffer
	encoder := hpack.NewEncoder(&block)
	encoder.SetMaxDynamicTableSize(0)
	for block.Len() < 16<<10-200 {
		if err := encoder.WriteField(hpack.HeaderField{Name: "x-flood", Value: strings.Repeat("~", 100)}); err != nil {
			t.Fatal(err)
		}
	}
	for sent := 0; sent < limit; sent += block.Len() {
		if err := a.framer.WriteContinuation(1, false, block.Bytes()); err != nil {
			return
		}
	}
	t.Errorf("want the connection ended, and %d bytes of a header were taken", limit)
}
