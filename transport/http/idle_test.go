package httptransport_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"runtime"
	"sync"
	"testing"

	httptransport "github.com/ashlar-go/ashlar/transport/http"
)

// pipes is a listener whose connections are in memory, so that there can be more of them than file descriptors.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn), done: make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.conns:
		return conn, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.done) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "pipe"} }

func (p *pipes) dial() net.Conn {
	client, server := net.Pipe()
	p.conns <- server
	return client
}

//nolint:paralleltest // it measures the memory of the process
func TestIdleSlowConnectionsDoNotStopOthers(t *testing.T) {
	count := 10_000
	if testing.Short() || raceEnabled {
		count = 300
	}
	srv := httptransport.NewHTTPServer(handler("POST /x", add))
	l := newPipes()
	var serving sync.WaitGroup
	serving.Go(func() { _ = srv.Serve(l) })
	defer serving.Wait()
	defer srv.Close()

	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	// Each announces as much as the limit allows, and sends one byte of it.
	const text = "POST /x HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: 1048576\r\n\r\n{"
	conns := make([]net.Conn, count)
	for i := range conns {
		conns[i] = l.dial()
		defer conns[i].Close()
		if _, err := io.WriteString(conns[i], text); err != nil {
			t.Fatal(err)
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	const most = 64 << 10 // for a goroutine, the buffers of net/http and the room for the first bytes
	if have := int64(after.HeapInuse+after.StackInuse) - int64(before.HeapInuse+before.StackInuse); have > int64(count)*most {
		t.Errorf("want at most %d bytes for a slow connection, have %d", most, have/int64(count))
	} else {
		t.Logf("%d bytes for each of %d slow connections", have/int64(count), count)
	}

	client := &http.Client{Transport: &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return l.dial(), nil }}}
	defer client.CloseIdleConnections()
	c := newClient[*pair, *total](t, dial(t, "http://h", httptransport.DialClient(client)), "POST /x")
	for range 100 {
		if have, err := c(t.Context(), &pair{1, 2}); err != nil || have.Sum != 3 {
			t.Fatalf("want 3, have %v, %v", have, err)
		}
	}
}
