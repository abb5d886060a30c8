package httptransport_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
	httptransport "github.com/ashlar-go/ashlar/transport/http"
)

// text is a message of any size.
type text struct {
	Text string `json:"text"`
}

// heard is a client stream that says how many messages it got, and with which error they ended.
func heard(over chan<- error) endpoint.Stream[text, total] {
	return endpoint.FromClientStream(func(_ context.Context, in iter.Seq2[text, error]) (t total, err error) {
		for _, err = range in {
			if err != nil {
				break
			}
			t.Sum++
		}
		over <- err
		return t, err
	})
}

func TestEveryMessageHasALimitAndNotTheStream(t *testing.T) {
	t.Parallel()
	const limit = 1000
	message := func(size int) text { return text{strings.Repeat("x", size-len(`{"text":""}`))} }
	for protocol, serve := range protocols {
		for carrier, opts := range carriers(endpoint.ClientStream) {
			name := protocol + " " + carrier
			over := make(chan error, 2)
			conn := serve(t, mount("/", httptransport.NewStreamServer(sumSpec, heard(over), httptransport.ServerMaxRequest(limit))))
			s := newStream[text, total](t, sumSpec, conn, "GET /", opts...)
			many := func(yield func(text, error) bool) {
				for range 50 {
					if !yield(message(limit), nil) {
						return
					}
				}
			}
			if have, err := s.Send(t.Context(), many); err != nil || have.Sum != 50 {
				t.Errorf("%s: want 50, have %v, %v", name, have, err)
			}
			if err := soon(t, name, over); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			_, err := s.Send(t.Context(), endpoint.Seq(message(limit), message(limit+1), message(limit)))
			have := status.As(err)
			if have == nil || have.Code != status.ResourceExhausted || have.Message != "message 2 is larger than 1000 bytes" {
				t.Errorf("%s: want ResourceExhausted, have %v", name, err)
			}
			if status.CodeOf(soon(t, name, over)) != status.ResourceExhausted {
				t.Errorf("%s: the stream was not told", name)
			}
		}
	}
}

func TestMessagesOfTheServerHaveALimit(t *testing.T) {
	t.Parallel()
	const limit = 1000
	s := endpoint.FromServerStream(func(_ context.Context, _ struct{}, send func(text) error) error {
		for _, size := range []int{limit, limit + 1} {
			if err := send(text{strings.Repeat("x", size-len(`{"text":""}`))}); err != nil {
				return err
			}
		}
		return nil
	})
	srv, _ := start(t, mount("/", httptransport.NewStreamServer(countSpec, s)))
	for carrier, opts := range carriers(endpoint.ServerStream) {
		client := newStream[struct{}, text](t, countSpec, dial(t, srv.URL), "GET /", append(opts, httptransport.ClientMaxResponse(limit))...)
		n := 0
		err := client(t.Context(), endpoint.Seq(struct{}{}), func(text) error { n++; return nil })
		if have := status.As(err); n != 1 || have == nil || have.Code != status.ResourceExhausted || have.Reason != "BODY_TOO_LARGE" {
			t.Errorf("%s: want one message and ResourceExhausted with its reason, have %d, %+v", carrier, n, have)
		}
	}
}

func TestMalformedMessagesAreRefusedByNumberAndPath(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		"{\"n\":1}\n\n \r\n{\"n\":\"x\"}\n": "message 2: invalid request: n: ",
		"{\"n\":1}{\"n\":2}\n":              "message 1: invalid request: ",
		"{\"n\":1}\n{\"n\"":                 "message 2: invalid request: ",
	} {
		w := ask(streamMux(), http.MethodPost, "/sum", body, "Content-Type: application/x-ndjson")
		if have := problem(t, w); w.Code != http.StatusBadRequest || !strings.HasPrefix(have.Message, want) {
			t.Errorf("%q: want 400 and %q, have %d %q", body, want, w.Code, have.Message)
		}
	}
	if w := ask(streamMux(), http.MethodPost, "/sum", "{\"n\":1}\r\n\n{\"n\":2}", "Content-Type: application/jsonl"); w.Body.String() != `{"sum":3}` {
		t.Errorf("want 3, have %d %s", w.Code, w.Body)
	}
	if w := ask(streamMux(), http.MethodPost, "/sum", "{\"n\":1}\n{\"$error\":{}}", "Content-Type: application/jsonl"); w.Code != 499 ||
		problem(t, w).Message != "the client broke the stream off" {
		t.Errorf("a client that broke off: want 499 without a number, have %d %s", w.Code, w.Body)
	}
}

func TestUploadsOfOtherTypesAreRefused(t *testing.T) {
	t.Parallel()
	w := ask(streamMux(), http.MethodPost, "/sum", "{}")
	if w.Code != http.StatusUnsupportedMediaType || w.Header().Get("Accept") != "application/x-ndjson" {
		t.Errorf("want 415 and what is accepted, have %d %v", w.Code, w.Header())
	}
	w = ask(streamMux(), http.MethodPost, "/sum", "{}", "Content-Type: application/x-ndjson", "Content-Encoding: gzip")
	if w.Code != http.StatusUnsupportedMediaType || w.Header().Get("Accept-Encoding") != "identity" {
		t.Errorf("want 415 and what is accepted, have %d %v", w.Code, w.Header())
	}
}

// flood is a stream that sends until it cannot, and says what it sent.
func flood(sent chan<- int, over chan<- error) endpoint.Stream[struct{}, text] {
	return endpoint.FromServerStream(func(_ context.Context, _ struct{}, send func(text) error) error {
		message := text{strings.Repeat("x", 64<<10)}
		for n := 0; ; n++ {
			if err := send(message); err != nil {
				sent <- n
				over <- err
				return err
			}
		}
	})
}

const upgrade = "Connection: Upgrade\nUpgrade: websocket\nSec-WebSocket-Version: 13\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\n"

func TestAClientThatDoesNotReadIsCutOff(t *testing.T) {
	t.Parallel()
	const most = 64 // MiB; what the system buffers between two sockets is far less
	for name, header := range map[string]string{"NDJSON": "", "SSE": "Accept: text/event-stream\n", "WebSocket": upgrade} {
		sent, over := make(chan int, 1), make(chan error, 1)
		srv, _ := start(t, mount("/", httptransport.NewStreamServer(countSpec, flood(sent, over), httptransport.ServerWriteTimeout(100*time.Millisecond))))
		conn, _ := rawConn(t, srv.URL, "GET / HTTP/1.1\nHost: x\n"+header+"\n")
		n, err := soon(t, name, sent), soon(t, name, over)
		if e := status.As(err); e == nil || e.Code != status.Canceled || e.Message != "the client did not read in time" {
			t.Errorf("%s: want that the client did not read, have %v", name, err)
		}
		if n > most<<4 {
			t.Errorf("%s: %d messages of 64 KiB were taken for a client that reads none", name, n)
		}
		_ = conn.Close()
	}
}

func TestAHundredThousandMessagesArriveInOrder(t *testing.T) {
	t.Parallel()
	messages := 100_000
	if raceEnabled {
		messages = 10_000
	}
	s := endpoint.FromServerStream(func(_ context.Context, _ struct{}, send func(*number) error) error {
		for i := range messages {
			if err := send(&number{N: i}); err != nil {
				return err
			}
		}
		return nil
	})
	srv, _ := start(t, mount("/", httptransport.NewStreamServer(countSpec, s)))
	for carrier, opts := range carriers(endpoint.ServerStream) {
		client := newStream[struct{}, number](t, countSpec, dial(t, srv.URL), "GET /", opts...)
		n := 0
		err := client(t.Context(), endpoint.Seq(struct{}{}), func(have number) error {
			if have.N != n {
				return fmt.Errorf("want message %d, have %d", n, have.N)
			}
			n++
			return nil
		})
		if err != nil || n != messages {
			t.Errorf("%s: want %d messages, have %d, %v", carrier, messages, n, err)
		}
	}
}

//nolint:paralleltest // it measures the memory of the process
func TestAStreamTakesNoMoreMemoryTheLongerItIs(t *testing.T) {
	const step, steps = 25_000, 4 // messages
	least := make(chan int64, 1)  // by which the memory grew in one of the steps
	inUse := func() int64 {
		var m runtime.MemStats
		for range 2 { // what a sync.Pool holds survives one
			runtime.GC()
		}
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	s := endpoint.FromServerStream(func(_ context.Context, _ struct{}, send func(*plain) error) error {
		growth := int64(math.MaxInt64)
		var before int64
		for i := range step*(steps+1) + 1 {
			if i%step == 0 && i > 0 { // the first step is for what is made once
				now := inUse()
				if i > step {
					growth = min(growth, now-before) // what other goroutines of the process do is not done in each step
				}
				before = now
			}
			if err := send(&plain{N: i, Text: "hello"}); err != nil {
				return err
			}
		}
		least <- growth
		return nil
	})
	srv, _ := start(t, mount("/", httptransport.NewStreamServer(countSpec, s)))
	for carrier, opts := range carriers(endpoint.ServerStream) {
		client := newStream[struct{}, plain](t, countSpec, dial(t, srv.URL), "GET /", opts...)
		if err := client(t.Context(), endpoint.Seq(struct{}{}), func(plain) error { return nil }); err != nil {
			t.Fatal(err)
		}
		const most = 25 * step // bytes; a message that is kept takes 50 and more
		if have := soon(t, carrier, least); have > most {
			t.Errorf("%s: want at most %d bytes more after %d messages, have %d", carrier, most, step, have)
		}
	}
}

// discard is a response that goes nowhere.
type discard struct{ header http.Header }

func (d discard) Header() http.Header         { return d.header }
func (d discard) Write(p []byte) (int, error) { return len(p), nil }
func (d discard) WriteHeader(int)             {}
func (d discard) Flush()                      {}

// plain is a message without methods.
type plain struct {
	N    int    `json:"n"`
	Text string `json:"text"`
}

// mallocs counts what f allocates.
func mallocs(f func()) float64 {
	least := testing.AllocsPerRun(1, f)
	for range 2 { // what else goes on in the process, as servers of other tests that end, adds to some of them
		least = min(least, testing.AllocsPerRun(1, f))
	}
	return least
}

func TestAMessageCostsNoAllocation(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	const few, many = 1000, 100_000
	for accept, most := range map[string]float64{"application/x-ndjson": 0.01, "text/event-stream": 0.01} {
		run := func(messages int) func() {
			message := &plain{Text: "hello"}
			s := endpoint.FromServerStream(func(_ context.Context, _ struct{}, send func(*plain) error) error {
				for i := range messages {
					message.N = i
					if err := send(message); err != nil {
						return err
					}
				}
				return nil
			})
			h := httptransport.NewStreamServer(countSpec, s)
			r, err := http.NewRequest(http.MethodGet, "/", http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Accept", accept)
			return func() { h.ServeHTTP(discard{http.Header{}}, r) }
		}
		perMessage := (mallocs(run(many)) - mallocs(run(few))) / (many - few)
		if perMessage > most {
			t.Errorf("%s: want at most %v allocations per message, have %v", accept, most, perMessage)
		}
	}
}

// canned answers every request with lines.
type canned struct {
	contentType string
	body        func() io.Reader
}

func (c canned) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {c.contentType}}, Body: io.NopCloser(c.body()), Request: r, ContentLength: -1,
	}, nil
}

//nolint:paralleltest // allocations are counted for the whole process
func TestReadingAMessageCostsWhatItsDecodingDoes(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	const few, many = 1000, 100_000
	for contentType, row := range map[string]struct{ line, end string }{
		"application/x-ndjson": {"{\"n\":1,\"text\":\"\"}\n", ""},
		"text/event-stream":    {"id: 7\nevent: tick\ndata: {\"n\":1,\"text\":\"\"}\n\n", "event: end\ndata: {}\n\n"},
	} {
		run := func(messages int) func() {
			body := strings.Repeat(row.line, messages) + row.end
			conn := dial(t, "http://x", httptransport.DialClient(&http.Client{Transport: canned{contentType, func() io.Reader { return strings.NewReader(body) }}}))
			client := newStream[struct{}, plain](t, countSpec, conn, "GET /")
			return func() {
				n := 0
				err := client(t.Context(), endpoint.Seq(struct{}{}), func(plain) error { n++; return nil })
				if err != nil || n != messages {
					t.Errorf("want %d messages, have %d, %v", messages, n, err)
				}
			}
		}
		perMessage := (mallocs(run(many)) - mallocs(run(few))) / (many - few)
		if perMessage > 0.01 {
			t.Errorf("%s: want no allocation per message, have %v", contentType, perMessage)
		}
	}
}

func TestOptionsOfStreamsAreChecked(t *testing.T) {
	t.Parallel()
	for want, opt := range map[string]httptransport.ServerOption{
		"ServerHeartbeat of -1ns":         httptransport.ServerHeartbeat(-1),
		"ServerWriteTimeout of 0s":        httptransport.ServerWriteTimeout(0),
		"ServerPing of -1ns":              httptransport.ServerPing(-1),
		`ServerOrigins("a.example")`:      httptransport.ServerOrigins("https://ok.example", "a.example"),
		"ServerEncoder is not for":        httptransport.ServerEncoder(func(context.Context, http.ResponseWriter, number) error { return nil }),
		"ServerDecoder makes one request": httptransport.ServerDecoder(func(context.Context, *http.Request) (number, error) { return number{}, nil }),
	} {
		wantPanic(t, want, func() { httptransport.NewStreamServer(chatSpec, double, opt) })
	}
	wantPanic(t, "the stream is nil", func() { httptransport.NewStreamServer[number, number](chatSpec, nil) })
	unary := endpoint.Spec{Method: "x", Kind: endpoint.Unary}
	wantPanic(t, "is unary; use NewServer", func() { httptransport.NewStreamServer(unary, double) })
	wantPanic(t, "the kind 9 is unknown", func() { httptransport.NewStreamServer(endpoint.Spec{Method: "x", Kind: 9}, double) })
	conn := dial(t, "http://x")
	newOf := func(spec endpoint.Spec, pattern string, opts ...httptransport.ClientOption) error {
		_, err := httptransport.NewStreamClient[number, number](spec, conn, pattern, opts...)
		return err
	}
	for want, err := range map[string]error{
		"is unary; use NewClient":          newOf(unary, "POST /"),
		"a WebSocket is opened with GET":   newOf(chatSpec, "POST /"),
		"ClientSSE is for a server stream": newOf(sumSpec, "POST /", httptransport.ClientSSE()),
		"has no field for {id}":            newOf(sumSpec, "POST /{id}"),
		"ClientDecoder reads one response": newOf(countSpec, "GET /", httptransport.ClientDecoder(
			func(context.Context, *http.Response) (number, error) { return number{}, nil })),
		"ClientEncoder makes one request": newOf(sumSpec, "POST /", httptransport.ClientEncoder(
			func(context.Context, *http.Request, number) error { return errors.New("no") })),
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, have %v", want, err)
		}
	}
	_, err := httptransport.NewStreamClient[*countTo, number](sumSpec, conn, "POST /{room}")
	if err == nil || !strings.Contains(err.Error(), "tagged for elsewhere") {
		t.Errorf("want that the tags are for nothing, have %v", err)
	}
}
