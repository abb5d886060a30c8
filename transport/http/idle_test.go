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
func TestTenThousandIdleSlowConnectionsDoNotStopOthers(t *testing.T) {
	const count = 10_000
	srv := httptransport.NewHTTPServer(handler("POST /x", add))
	srv.ReadHeaderTimeout, srv.ReadTimeout = 0, 0 // all of them stay, however slow the machine is
	l := newPipes()
	var serving sync.WaitGroup
	serving.Go(func() { _ = srv.Serve(l) })
	defer serving.Wait()
	defer srv.Close()

	const header = "POST /x HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n"
	slow := []string{
		"P",    // the request line
		header, // the header
		header + "Content-Length: 1048576\r\n\r\n{", // the body: as much as the limit allows is announced, and one byte of it sent
	}
	before := inUse()
	conns := make([]net.Conn, count)
	for i := range conns {
		conns[i] = l.dial()
		defer conns[i].Close()
		if _, err := io.WriteString(conns[i], slow[i%len(slow)]); err != nil {
			t.Fatal(err)
		}
	}
	used := (inUse() - before) / count
	t.Logf("%d bytes for each of %d slow connections", used, count)
	const most = 64 << 10 // for a goroutine, the buffers of net/http and the room for the first bytes
	if used > most {
		t.Errorf("want at most %d bytes for a slow connection, have %d", most, used)
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

// inUse returns the bytes of the heap and of stacks.
func inUse() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse + m.StackInuse)
}
