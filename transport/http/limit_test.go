package httptransport_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"

	"github.com/ashlar-go/ashlar/status"
	httptransport "github.com/ashlar-go/ashlar/transport/http"
)

const mib = 1 << 20

// counted counts what is read of a body, and how it ended.
type counted struct {
	io.Reader

	read int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.read += int64(n)
	return n, err
}

// zeros is n zero bytes.
func zeros(n int64) io.Reader { return io.LimitReader(zeroReader{}, n) }

type zeroReader struct{}

func (zeroReader) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// zipped compresses what r yields.
func zipped(t testing.TB, r io.Reader) []byte {
	t.Helper()
	var buf bytes.Buffer
	z := gzip.NewWriter(&buf)
	if _, err := io.Copy(z, r); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// emptyMembers is an endless gzip file that unpacks to nothing.
type emptyMembers struct {
	member []byte
	at     int
}

func (e *emptyMembers) Read(p []byte) (int, error) {
	n := copy(p, e.member[e.at:])
	e.at = (e.at + n) % len(e.member)
	return n, nil
}

//nolint:paralleltest // it measures the memory of the process
func TestNoMoreThanTheLimitIsEverBuffered(t *testing.T) {
	bomb := bytes.Repeat(zipped(t, zeros(mib)), 64)
	garbage := zipped(t, io.LimitReader(&counting{}, 3*mib/2)) // more than the limit even when it is compressed
	for _, tt := range []struct {
		name    string
		body    io.Reader
		length  int64
		gzip    bool
		mostRaw int64
	}{
		{"announced", zeros(64 * mib), 64 * mib, false, 0},
		{"chunked", zeros(64 * mib), -1, false, mib + 1},
		{"gzip, announced", bytes.NewReader(bomb), int64(len(bomb)), true, int64(len(bomb))},
		{"gzip, chunked", bytes.NewReader(bomb), -1, true, int64(len(bomb))},
		{"gzip, large when compressed", bytes.NewReader(garbage), -1, true, mib + 1},
		{"endless empty gzip members", &emptyMembers{member: zipped(t, zeros(0))}, -1, true, mib + 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := handler("POST /x", add)
			body := &counted{Reader: tt.body}
			r := httptest.NewRequest(http.MethodPost, "/x", body)
			r.ContentLength = tt.length
			r.Header.Set("Content-Type", "application/json")
			if tt.gzip {
				r.Header.Set("Content-Encoding", "gzip")
			}
			w := httptest.NewRecorder()
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			h.ServeHTTP(w, r)
			runtime.ReadMemStats(&after)
			e := problem(t, w)
			if w.Code != http.StatusRequestEntityTooLarge || e.Code != status.ResourceExhausted || e.Reason != "BODY_TOO_LARGE" {
				t.Errorf("want 413 BODY_TOO_LARGE, have %d %v", w.Code, e)
			}
			if body.read > tt.mostRaw {
				t.Errorf("want at most %d bytes read, have %d", tt.mostRaw, body.read)
			}
			// A buffer that doubles until it has room for the limit takes three times that in all.
			if have := after.TotalAlloc - before.TotalAlloc; have > 7*mib/2 {
				t.Errorf("want at most %d bytes allocated, have %d", 7*mib/2, have)
			}
		})
	}
}

// counting yields bytes that do not compress well.
type counting struct{ state uint64 }

func (c *counting) Read(p []byte) (int, error) {
	for i := range p {
		c.state = c.state*6364136223846793005 + 1442695040888963407
		p[i] = byte(c.state >> 56)
	}
	return len(p), nil
}

func TestTheLimitIsExact(t *testing.T) {
	t.Parallel()
	type text struct {
		S string `body:""`
	}
	const limit = 100
	h := handler("POST /x", echo[text], httptransport.ServerMaxRequest(limit))
	for _, size := range []int{limit - 1, limit, limit + 1} {
		body := `"` + strings.Repeat("x", size-2) + `"`
		want := http.StatusOK
		if size > limit {
			want = http.StatusRequestEntityTooLarge
		}
		if have := ask(h, "POST", "/x", body).Code; have != want {
			t.Errorf("%d bytes: want %d, have %d", size, want, have)
		}
		r := httptest.NewRequest(http.MethodPost, "/x", struct{ io.Reader }{strings.NewReader(body)})
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		if h.ServeHTTP(w, r); w.Code != want {
			t.Errorf("%d bytes, chunked: want %d, have %d", size, want, w.Code)
		}
		if have := ask(h, "POST", "/x", string(zipped(t, strings.NewReader(body))), "Content-Encoding: gzip").Code; have != want {
			t.Errorf("%d bytes, gzip: want %d, have %d", size, want, have)
		}
	}
}

func TestTheLargestLimit(t *testing.T) {
	t.Parallel()
	h := handler("POST /x", add, httptransport.ServerMaxRequest(math.MaxInt64))
	for _, header := range []string{"Content-Encoding: identity", "Content-Encoding: gzip"} {
		body := `{"a":1,"b":2}`
		if strings.HasSuffix(header, "gzip") {
			body = string(zipped(t, strings.NewReader(body)))
		}
		if w := ask(h, "POST", "/x", body, header); w.Code != http.StatusOK {
			t.Errorf("%s: want 200, have %d %s", header, w.Code, w.Body)
		}
	}
	custom := handler("POST /x", add, httptransport.ServerMaxRequest(math.MaxInt64), httptransport.ServerDecoder(decodePair))
	if w := ask(custom, "POST", "/x", "1 2"); w.Code != http.StatusOK {
		t.Errorf("decoder: want 200, have %d %s", w.Code, w.Body)
	}
}

// decodePair reads two numbers.
func decodePair(_ context.Context, r *http.Request) (*pair, error) {
	data, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, fmt.Errorf("reading the pair: %w", err)
	}
	var p pair
	if _, err := fmt.Sscan(string(data), &p.A, &p.B); err != nil {
		return nil, status.Invalid(err)
	}
	return &p, nil
}

func TestTheLimitHoldsForDecoders(t *testing.T) {
	t.Parallel()
	var outcome httptransport.Outcome
	h := handler("POST /x", add, httptransport.ServerMaxRequest(5), httptransport.ServerDecoder(decodePair),
		httptransport.ServerFinalizer(func(_ context.Context, _ *http.Request, o httptransport.Outcome) { outcome = o }))
	if w := ask(h, "POST", "/x", "1 222"); w.Code != http.StatusOK || w.Body.String() != `{"sum":223}` {
		t.Errorf("want 223, have %d %s", w.Code, w.Body)
	}
	if outcome.RequestSize != 5 {
		t.Errorf("want a request of 5 bytes, have %d", outcome.RequestSize)
	}
	w := ask(h, "POST", "/x", "1 2222")
	if w.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("want 413, have %d %s", w.Code, w.Body)
	}
	stubborn := handler("POST /x", add, httptransport.ServerMaxRequest(5),
		httptransport.ServerDecoder(func(_ context.Context, r *http.Request) (*pair, error) {
			for range 10 { // it does not heed the error
				if n, err := io.Copy(io.Discard, r.Body); n > 5 || err == nil {
					return nil, fmt.Errorf("read %d bytes, %w", n, err)
				}
			}
			return &pair{}, nil
		}))
	if w := ask(stubborn, "POST", "/x", strings.Repeat("x", 7)); w.Code != http.StatusOK {
		t.Errorf("a decoder read past the limit: %d %s", w.Code, w.Body)
	}
}

func TestContentEncodings(t *testing.T) {
	t.Parallel()
	h := handler("POST /x", add)
	good := string(zipped(t, strings.NewReader(`{"a":1,"b":2}`)))
	for _, tt := range []struct {
		name, body, encoding string
		want                 int
	}{
		{"gzip", good, "gzip", http.StatusOK},
		{"old name", good, "X-GZIP", http.StatusOK},
		{"two members", string(zipped(t, strings.NewReader(`{"a":1,`))) + string(zipped(t, strings.NewReader(`"b":2}`))), "gzip", http.StatusOK},
		{"identity", `{"a":1,"b":2}`, "identity", http.StatusOK},
		{"empty", `{"a":1,"b":2}`, " ", http.StatusOK},
		{"not gzip at all", `{"a":1,"b":2}`, "gzip", http.StatusBadRequest},
		{"cut off", good[:len(good)-9], "gzip", http.StatusBadRequest},
		{"wrong checksum", good[:len(good)-8] + "xxxx" + good[len(good)-4:], "gzip", http.StatusBadRequest},
		{"trailing garbage", good + "garbage", "gzip", http.StatusBadRequest},
		{"unknown", good, "br", http.StatusUnsupportedMediaType},
		{"twice", good, "gzip, gzip", http.StatusUnsupportedMediaType},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := ask(h, "POST", "/x", tt.body, "Content-Encoding: "+tt.encoding)
			if w.Code != tt.want {
				t.Fatalf("want %d, have %d %s", tt.want, w.Code, w.Body)
			}
			if w.Code == http.StatusUnsupportedMediaType {
				if have := w.Header().Get("Accept-Encoding"); have != "gzip, identity" {
					t.Errorf("want the supported encodings in Accept-Encoding, have %q", have)
				}
			}
		})
	}
}

// raw sends text over a connection of its own, and returns the response.
func raw(t *testing.T, srv *httptest.Server, text string) (conn net.Conn, r *bufio.Reader) {
	t.Helper()
	conn, err := net.Dial("tcp", srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
	return conn, bufio.NewReader(conn)
}

func answer(t *testing.T, r *bufio.Reader) (code int, body string) {
	t.Helper()
	response, err := http.ReadResponse(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(response.Body)
	_ = response.Body.Close()
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(data)
}

func TestLengthsThatLie(t *testing.T) {
	t.Parallel()
	srv, _ := start(t, handler("POST /x", add))
	const head = "POST /x HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n"

	t.Run("longer than the body", func(t *testing.T) {
		t.Parallel()
		conn, r := raw(t, srv, head+"Content-Length: 1000\r\n\r\n{\"a\":1}")
		if err := conn.(*net.TCPConn).CloseWrite(); err != nil { //nolint:forcetypeassert // it is one
			t.Fatal(err)
		}
		// Half a connection that is closed may also count as a client that went away.
		if code, body := answer(t, r); code != http.StatusBadRequest && code != status.Canceled.HTTP() {
			t.Errorf("want 400 or 499, have %d %s", code, body)
		}
	})
	t.Run("shorter than the body", func(t *testing.T) {
		t.Parallel()
		_, r := raw(t, srv, head+"Content-Length: 5\r\n\r\n{\"a\":1}")
		if code, body := answer(t, r); code != http.StatusBadRequest {
			t.Errorf("want 400, have %d %s", code, body)
		}
	})
	t.Run("the sum of chunks counts", func(t *testing.T) {
		t.Parallel()
		var chunks strings.Builder
		for range 33 {
			fmt.Fprintf(&chunks, "8000\r\n%s\r\n", strings.Repeat(" ", 0x8000))
		}
		_, r := raw(t, srv, head+"Transfer-Encoding: chunked\r\n\r\n"+chunks.String())
		if code, body := answer(t, r); code != http.StatusRequestEntityTooLarge {
			t.Errorf("want 413, have %d %s", code, body)
		}
	})
}

func TestExpectContinue(t *testing.T) {
	t.Parallel()
	srv, _ := start(t, handler("POST /x", add))
	const head = "POST /x HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Type: "

	conn, r := raw(t, srv, head+"application/json\r\nContent-Length: 13\r\n\r\n")
	if line, err := r.ReadString('\n'); err != nil || line != "HTTP/1.1 100 Continue\r\n" {
		t.Fatalf("want 100, have %q, %v", line, err)
	}
	_, _ = r.ReadString('\n')
	if _, err := io.WriteString(conn, `{"a":1,"b":2}`); err != nil {
		t.Fatal(err)
	}
	if code, body := answer(t, r); code != http.StatusOK {
		t.Errorf("want 200, have %d %s", code, body)
	}

	_, r = raw(t, srv, head+"application/json\r\nContent-Length: 2000000\r\n\r\n")
	if code, body := answer(t, r); code != http.StatusRequestEntityTooLarge {
		t.Errorf("too large: want 413 and no 100 before it, have %d %s", code, body)
	}
	_, r = raw(t, srv, head+"text/html\r\nContent-Length: 5\r\n\r\n")
	if code, body := answer(t, r); code != http.StatusUnsupportedMediaType {
		t.Errorf("wrong type: want 415 and no 100 before it, have %d %s", code, body)
	}
}

func TestLimitsThatMakeNoSense(t *testing.T) {
	t.Parallel()
	for _, n := range []int64{0, -1} {
		wantPanic(t, "want more than 0", func() { httptransport.NewServer(testSpec, add, httptransport.ServerMaxRequest(n)) })
		_, err := httptransport.NewClient[*pair, *total](testSpec, dial(t, "http://localhost"), "POST /x", httptransport.ClientMaxResponse(n))
		if err == nil || !strings.Contains(err.Error(), "want more than 0") {
			t.Errorf("ClientMaxResponse(%d): have %v", n, err)
		}
	}
}

func TestAClientOfALargeUploadReadsThe413(t *testing.T) {
	t.Parallel()
	for name, conn := range everyProtocol(t, handler("POST /x", add)) {
		upload := newClient[int64, struct{}](t, conn, "POST /x", httptransport.ClientEncoder(func(_ context.Context, r *http.Request, size int64) error {
			r.Header.Set("Content-Type", "application/json")
			r.Body = io.NopCloser(zeros(size))
			r.ContentLength = -1
			return nil
		}))
		if _, err := upload(t.Context(), 64*mib); status.CodeOf(err) != status.ResourceExhausted {
			t.Errorf("%s: want resource_exhausted, have %v", name, err)
		}
		if _, err := upload(t.Context(), 10); status.CodeOf(err) != status.InvalidArgument {
			t.Errorf("%s: the next call: want invalid_argument, have %v", name, err)
		}
	}
}
