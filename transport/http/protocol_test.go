package httptransport_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
	httptransport "github.com/ashlar-go/ashlar/transport/http"
)

// everyProtocol returns Conns to servers of h, by protocol.
func everyProtocol(t *testing.T, h http.Handler) map[string]*httptransport.Conn {
	t.Helper()
	conns := make(map[string]*httptransport.Conn)
	for _, proto := range []string{"HTTP/1.1", "HTTP/2.0", "HTTP/2.0 h2c"} {
		srv := httptest.NewUnstartedServer(nil)
		srv.Config = httptransport.NewHTTPServer(h)
		var opts []httptransport.DialOption
		switch proto {
		case "HTTP/2.0":
			srv.EnableHTTP2 = true
			srv.StartTLS()
			roots := x509.NewCertPool()
			roots.AddCert(srv.Certificate())
			opts = append(opts, httptransport.DialTLS(&tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS13}))
		case "HTTP/2.0 h2c":
			opts = append(opts, httptransport.DialH2C())
			srv.Start()
		default:
			srv.Start()
		}
		t.Cleanup(srv.Close)
		conns[proto] = dial(t, srv.URL, opts...)
	}
	return conns
}

//nolint:paralleltest,tparallel // the protocols share what they note
func TestEveryProtocolAnswersAlike(t *testing.T) {
	t.Parallel()
	var proto string
	note := httptransport.ServerBefore(func(ctx context.Context, r *http.Request) context.Context {
		proto = r.Proto
		return ctx
	})
	type sized struct {
		Size  int    `json:"-"     query:"size"`
		Fails string `json:"-"     query:"fails"`
		Text  string `json:"text"`
	}
	mux := handler("POST /x/{id}", func(_ context.Context, r *byID) (string, error) { return r.ID, nil }, note)
	mux.Handle("/text", httptransport.NewServer(testSpec, func(ctx context.Context, r *sized) (string, error) {
		switch r.Fails {
		case "status":
			return "", status.New(status.Aborted, "text").WithReason("WHY").WithRetryAfter(time.Second)
		case "panic":
			panic("x")
		case "deadline":
			<-ctx.Done()
			return "", ctx.Err()
		}
		return strings.Repeat("x", r.Size) + r.Text, nil
	}, note, httptransport.ServerErrorHandler(func(context.Context, error) {})))
	mux.Handle("POST /empty", httptransport.NewServer(testSpec, func(context.Context, struct{}) (struct{}, error) { return struct{}{}, nil }, note))
	for name, conn := range everyProtocol(t, mux) {
		t.Run(name, func(t *testing.T) {
			want, _, _ := strings.Cut(name, " ")
			text := newClient[*sized, string](t, conn, "POST /text")
			head := newClient[struct{}, struct{}](t, conn, "HEAD /text")
			empty := newClient[struct{}, struct{}](t, conn, "POST /empty")
			gone := newClient[struct{}, struct{}](t, conn, "GET /unrouted")
			escaped := newClient[byID, string](t, conn, "POST /x/{id}")
			ctx, info := transport.Observe(t.Context())
			if have, err := escaped(ctx, byID{ID: "a/b ü"}); err != nil || have != "a/b ü" || proto != want {
				t.Errorf("want %s, have %s, %q, %v", want, proto, have, err)
			}
			if (info.Info().TLS != nil) != (name == "HTTP/2.0") {
				t.Errorf("TLS: have %v", info.Info().TLS)
			}
			for _, size := range []int{0, 1000, 3000, 100_000} {
				body := strings.Repeat("y", size)
				if have, err := text(t.Context(), &sized{Size: size, Text: body}); err != nil || len(have) != 2*size {
					t.Errorf("%d: have %d, %v", size, len(have), err)
				}
			}
			if _, err := text(t.Context(), &sized{Text: strings.Repeat("x", 2*mib)}); status.CodeOf(err) != status.ResourceExhausted {
				t.Errorf("2 MiB: want resource_exhausted, have %v", err)
			}
			if _, err := text(t.Context(), &sized{Fails: "status"}); fmt.Sprint(err) != "aborted (WHY): text" || status.As(err).RetryAfter != time.Second {
				t.Errorf("have %v", err)
			}
			if _, err := text(t.Context(), &sized{Fails: "panic"}); status.CodeOf(err) != status.Internal || status.As(err).ID == "" {
				t.Errorf("panic: have %v", err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
			defer cancel()
			if _, err := text(ctx, &sized{Fails: "deadline"}); status.CodeOf(err) != status.DeadlineExceeded {
				t.Errorf("deadline: have %v", err)
			}
			if _, err := head(t.Context(), struct{}{}); err != nil {
				t.Errorf("HEAD: have %v", err)
			}
			if _, err := empty(t.Context(), struct{}{}); err != nil {
				t.Errorf("empty: have %v", err)
			}
			if _, err := gone(t.Context(), struct{}{}); status.CodeOf(err) != status.NotFound {
				t.Errorf("unrouted: have %v", err)
			}
		})
	}
}

//nolint:paralleltest // it changes http.DefaultServeMux
func TestNothingFallsToTheDefaultServeMux(t *testing.T) {
	own := http.DefaultServeMux
	defer func() { http.DefaultServeMux = own }()
	http.DefaultServeMux = http.NewServeMux()
	http.HandleFunc("/debug/secret", func(http.ResponseWriter, *http.Request) { t.Error("http.DefaultServeMux was asked") })
	for name, conn := range everyProtocol(t, handler("GET /x", replying(1))) {
		_, err := newClient[struct{}, struct{}](t, conn, "GET /debug/secret")(t.Context(), struct{}{})
		if status.CodeOf(err) != status.NotFound {
			t.Errorf("%s: want not_found, have %v", name, err)
		}
	}
	wantPanic(t, "nil handler", func() { httptransport.NewHTTPServer(nil) })
}
