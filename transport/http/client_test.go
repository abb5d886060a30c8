package httptransport_test

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
	httptransport "github.com/ashlar-go/ashlar/transport/http"
)

func TestAllFieldsSurviveTheWay(t *testing.T) {
	t.Parallel()
	type request struct {
		paging

		ID      string        `json:"-"   path:"id"`
		IDs     []uint8       `json:"-"   query:"ids"`
		Nil     *int          `json:"-"   query:"nil"`
		Zero    *int          `json:"-"   query:"zero"`
		Omitted int           `default:"7" json:"-" query:"omitted,omitempty"`
		At      time.Time     `header:"X-At" json:"-"`
		Wait    time.Duration `header:"X-Wait" json:"-"`
		Langs   []string      `header:"Accept-Language" json:"-"`
		Text    string        `json:"text"`
	}
	var have *request
	c := remote(t, "PUT /x/{id}", func(_ context.Context, r *request) (struct{}, error) { have = r; return struct{}{}, nil })
	sent := &request{
		paging: paging{1, "c"}, ID: "7", IDs: []uint8{1, 2}, Zero: new(int), At: time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC),
		Wait: time.Minute, Langs: []string{"de", "en"}, Text: "t",
	}
	if _, err := c(t.Context(), sent); err != nil {
		t.Fatal(err)
	}
	if have.Limit != 1 || have.Cursor != "c" || have.ID != "7" || !slices.Equal(have.IDs, sent.IDs) || have.Nil != nil || have.Zero == nil ||
		have.Omitted != 7 || !have.At.Equal(sent.At) || have.Wait != sent.Wait || !slices.Equal(have.Langs, sent.Langs) || have.Text != "t" {
		t.Errorf("want %+v, have %+v", sent, have)
	}
}

func TestRequestsThatCannotBeSent(t *testing.T) {
	t.Parallel()
	called := false
	srv, _ := start(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { called = true }))
	conn := dial(t, srv.URL)
	type withHeader struct {
		H string `header:"X-H"`
	}
	byHeader := newClient[withHeader, struct{}](t, conn, "GET /x")
	inBody := newClient[any, struct{}](t, conn, "POST /x")
	byPointer := newClient[*byID, struct{}](t, conn, "GET /x/{id}")
	for name, call := range map[string]func(ctx context.Context) error{
		"line break in a header": func(ctx context.Context) error { _, err := byHeader(ctx, withHeader{"a\r\nX-Admin: 1"}); return err },
		"line break from WithHeader": func(ctx context.Context) error {
			_, err := byHeader(transport.WithHeader(ctx, "X-Y", "a\nb"), withHeader{})
			return err
		},
		"no name from WithHeader": func(ctx context.Context) error {
			_, err := byHeader(transport.WithHeader(ctx, "X Y", "a"), withHeader{})
			return err
		},
		"not encodable": func(ctx context.Context) error { _, err := inBody(ctx, make(chan int)); return err },
		"nil":           func(ctx context.Context) error { _, err := byPointer(ctx, nil); return err },
	} {
		if err := call(t.Context()); status.CodeOf(err) != status.Internal || !errors.Is(err, transport.ErrNotSent) {
			t.Errorf("%s: want internal that was not sent, have %v", name, err)
		}
	}
	if called {
		t.Error("the server was called")
	}
}

func TestEveryFormOfRequestIsSent(t *testing.T) {
	t.Parallel()
	type update struct {
		ID    string `path:"id"`
		Lines []int  `body:""`
	}
	form := remote(t, "PUT /x/{id}", echo[update])
	if have, err := form(t.Context(), update{"1", []int{2}}); err != nil || have.ID != "1" || !slices.Equal(have.Lines, []int{2}) {
		t.Errorf("body field: have %+v, %v", have, err)
	}
	value := remote(t, "POST /x", echo[pair])
	if have, err := value(t.Context(), pair{1, 2}); err != nil || have != (pair{1, 2}) {
		t.Errorf("value: have %+v, %v", have, err)
	}
	slice := remote(t, "POST /x", echo[[]int])
	if have, err := slice(t.Context(), []int{1}); err != nil || !slices.Equal(have, []int{1}) {
		t.Errorf("slice: have %+v, %v", have, err)
	}
	for _, bad := range []byID{{ID: "\xff"}, {ID: "a", Q: []string{"\xff"}}} {
		_, err := remote(t, "GET /x/{id}", echo[byID])(t.Context(), bad)
		if status.CodeOf(err) != status.Internal || !errors.Is(err, transport.ErrNotSent) {
			t.Errorf("%q: want internal that was not sent, have %v", bad, err)
		}
	}
}

func TestTheTimeoutOfAGivenClient(t *testing.T) {
	t.Parallel()
	srv, _ := start(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	}))
	impatient := *srv.Client()
	impatient.Timeout = 20 * time.Millisecond
	c := newClient[*pair, *total](t, dial(t, srv.URL, httptransport.DialClient(&impatient)), "POST /x")
	if _, err := c(t.Context(), &pair{}); status.CodeOf(err) != status.DeadlineExceeded || errors.Is(err, transport.ErrNotSent) {
		t.Errorf("want deadline_exceeded that was sent, have %v", err)
	}
}

func TestAnExpiredContextSendsNothing(t *testing.T) {
	t.Parallel()
	called := false
	srv, _ := start(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { called = true }))
	c := newClient[*pair, *total](t, dial(t, srv.URL), "POST /x")
	expired, cancel := context.WithDeadline(t.Context(), time.Unix(0, 0))
	defer cancel()
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	for ctx, want := range map[context.Context]status.Code{expired: status.DeadlineExceeded, canceled: status.Canceled} {
		_, err := c(ctx, &pair{})
		if status.CodeOf(err) != want || !errors.Is(err, transport.ErrNotSent) || !errors.Is(err, ctx.Err()) || called {
			t.Errorf("want %v that was not sent, have %v, called: %v", want, err, called)
		}
		if want := "the request was not sent: " + ctx.Err().Error(); !strings.HasSuffix(err.Error(), want) {
			t.Errorf("want %q at the end of %q", want, err)
		}
	}
}

func TestCallsThatEndEarly(t *testing.T) {
	t.Parallel()
	arrived, release, left := make(chan struct{}, 1), make(chan struct{}), make(chan struct{}, 1)
	srv, _ := start(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		defer func() { left <- struct{}{} }()
		_, _ = io.Copy(io.Discard, r.Body)
		arrived <- struct{}{}
		select {
		case <-r.Context().Done():
		case <-release:
		}
		panic(http.ErrAbortHandler)
	}))
	c := newClient[*pair, *total](t, dial(t, srv.URL), "POST /x")
	for _, tt := range []struct {
		name string
		ctx  func() (context.Context, context.CancelFunc)
		end  func(cancel context.CancelFunc)
		want status.Code
	}{
		{"canceled", func() (context.Context, context.CancelFunc) { return context.WithCancel(t.Context()) }, func(cancel context.CancelFunc) { cancel() }, status.Canceled},
		{
			"deadline", func() (context.Context, context.CancelFunc) {
				return context.WithTimeout(t.Context(), 500*time.Millisecond)
			},
			func(context.CancelFunc) {}, status.DeadlineExceeded,
		},
		{"server gone", func() (context.Context, context.CancelFunc) { return context.WithCancel(t.Context()) }, func(context.CancelFunc) { release <- struct{}{} }, status.Unavailable},
	} {
		ctx, cancel := tt.ctx()
		done := make(chan error, 1)
		go func() {
			_, err := c(ctx, &pair{})
			done <- err
		}()
		<-arrived
		tt.end(cancel)
		err := <-done
		cancel()
		<-left // else it would take the next one's release
		if status.CodeOf(err) != tt.want || errors.Is(err, transport.ErrNotSent) {
			t.Errorf("%s: want %v that was sent, have %v", tt.name, tt.want, err)
		}
	}
}

func TestAServerThatIsNotThere(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	_ = l.Close()
	stranger := httptest.NewUnstartedServer(http.NotFoundHandler())
	stranger.Config.ErrorLog = log.New(io.Discard, "", 0)
	stranger.StartTLS()
	defer stranger.Close()
	for name, base := range map[string]string{
		"refused": "http://" + address, "unknown name": "http://host.invalid", "unknown authority": stranger.URL,
	} {
		ctx, observed := transport.Observe(t.Context())
		_, err := newClient[*pair, *total](t, dial(t, base), "POST /x")(ctx, &pair{})
		if status.CodeOf(err) != status.Unavailable || !errors.Is(err, transport.ErrNotSent) {
			t.Errorf("%s: want unavailable that was not sent, have %v", name, err)
		}
		if info := observed.Info(); info.Transport != httptransport.Name || info.Peer != "" {
			t.Errorf("%s: want no peer, since nobody answered, have %+v", name, info)
		}
	}
}

func TestResponseLimits(t *testing.T) {
	t.Parallel()
	srv, _ := start(t, handler("GET /x/{id}", func(_ context.Context, r byID) (string, error) { return strings.Repeat("x", len(r.ID)), nil }))
	c := newClient[byID, string](t, dial(t, srv.URL), "GET /x/{id}", httptransport.ClientMaxResponse(100))
	for size, want := range map[int]status.Code{97: status.OK, 98: status.OK, 99: status.ResourceExhausted, 3000: status.ResourceExhausted} {
		_, err := c(t.Context(), byID{ID: strings.Repeat("i", size)})
		if status.CodeOf(err) != want {
			t.Errorf("%d: want %v, have %v", size+2, want, err)
		}
		if have := status.As(err); have != nil && have.Reason != "BODY_TOO_LARGE" {
			t.Errorf("%d: have the reason %q", size+2, have.Reason)
		}
	}
}

func TestAResponseThatBombs(t *testing.T) {
	t.Parallel()
	bomb := zipped(t, zeros(2*mib))
	srv, _ := start(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(bomb)
	}))
	_, err := newClient[struct{}, any](t, dial(t, srv.URL), "GET /x", httptransport.ClientMaxResponse(mib))(t.Context(), struct{}{})
	if status.CodeOf(err) != status.ResourceExhausted {
		t.Errorf("want resource_exhausted, have %v", err)
	}
}

func TestResponsesThatAreIncomplete(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]status.Code{"5\r\n\r\n[1": status.Unavailable, "2\r\n\r\n[1": status.Internal, "4\r\n\r\n[\"a\"": status.Internal, "0\r\n\r\n": status.Internal} {
		srv, _ := start(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: "+name)
			_ = conn.Close()
		}))
		_, err := newClient[struct{}, []int](t, dial(t, srv.URL), "GET /x")(t.Context(), struct{}{})
		if status.CodeOf(err) != want || errors.Is(err, transport.ErrNotSent) {
			t.Errorf("%q: want %v, have %v", name, want, err)
		}
	}
}

func TestTheClientFillsInWhatWasObserved(t *testing.T) {
	t.Parallel()
	srv, _ := start(t, handler("POST /x", failing(status.New(status.NotFound, "x"))))
	c := newClient[*pair, *total](t, dial(t, srv.URL), "POST /x")
	ctx, outer := transport.Observe(t.Context())
	ctx, inner := transport.Observe(ctx)
	_, _ = c(ctx, &pair{})
	for _, info := range []transport.Info{outer.Info(), inner.Info()} {
		if info.ResponseSize == 0 || info.Response.Get("Content-Type") != status.ProblemType || info.RequestSize != 13 {
			t.Errorf("of an error: have %+v", info)
		}
	}
	ctx, outer = transport.Observe(t.Context())
	srv.Close()
	_, _ = c(ctx, &pair{})
	if info := outer.Info(); info.Operation != "orders/Place" || info.RequestSize != 13 || info.ResponseSize != 0 || info.Response.Get("X") != "" {
		t.Errorf("of no answer: have %+v", info)
	}
}

func TestContextHeadersWin(t *testing.T) {
	t.Parallel()
	var have http.Header
	srv, _ := start(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { have = r.Header; w.WriteHeader(http.StatusNoContent) }))
	type tenant struct {
		Tenant string `header:"X-Tenant"`
	}
	c := newClient[tenant, struct{}](t, dial(t, srv.URL), "GET /x")
	ctx := transport.WithHeader(t.Context(), "x-tenant", "b", "c")
	ctx = transport.WithHeader(ctx, "Authorization", "Bearer t")
	if _, err := c(ctx, tenant{"a"}); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(have["X-Tenant"], []string{"b", "c"}) || have.Get("Authorization") != "Bearer t" {
		t.Errorf("have %v", have)
	}
}

func TestEncodersOfTheClient(t *testing.T) {
	t.Parallel()
	var seen string
	srv, _ := start(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		data, _ := io.ReadAll(r.Body)
		seen = r.Method + " " + r.RequestURI + " " + string(data)
		w.WriteHeader(http.StatusNoContent)
	}))
	c := newClient[int, struct{}](t, dial(t, srv.URL+"/api"), "POST /x/{id}",
		httptransport.ClientEncoder(func(_ context.Context, r *http.Request, id int) error {
			if id < 0 {
				return errors.New("negative")
			}
			r.URL.Path = strings.Replace(r.URL.Path, "{id}", "7", 1)
			r.Body = io.NopCloser(strings.NewReader("text"))
			r.ContentLength = 4
			return nil
		}))
	if _, err := c(t.Context(), 1); err != nil || seen != "POST /api/x/7 text" {
		t.Errorf("have %q, %v", seen, err)
	}
	if _, err := c(t.Context(), -1); status.CodeOf(err) != status.Internal || !errors.Is(err, transport.ErrNotSent) {
		t.Errorf("have %v", err)
	}
}

func TestTheServerSeesThatItsCallerHasGone(t *testing.T) {
	t.Parallel()
	arrived, ended := make(chan struct{}), make(chan error, 1)
	for name, conn := range everyProtocol(t, handler("POST /x", func(ctx context.Context, _ *pair) (*total, error) {
		arrived <- struct{}{}
		<-ctx.Done()
		ended <- ctx.Err()
		return nil, ctx.Err()
	})) {
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		c := newClient[*pair, *total](t, conn, "POST /x")
		go func() {
			_, err := c(ctx, &pair{})
			done <- err
		}()
		<-arrived
		cancel()
		if err := <-done; status.CodeOf(err) != status.Canceled {
			t.Errorf("%s: want canceled, have %v", name, err)
		}
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("%s, server: want canceled, have %v", name, err)
		}
	}
}
