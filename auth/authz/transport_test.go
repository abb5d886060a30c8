package authz_test

import (
	"context"
	"errors"
	"iter"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/ashlar-go/ashlar/auth"
	"github.com/ashlar-go/ashlar/auth/authz"
	"github.com/ashlar-go/ashlar/codec/proto"
	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/internal/testserver"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
	grpctransport "github.com/ashlar-go/ashlar/transport/grpc"
	httptransport "github.com/ashlar-go/ashlar/transport/http"
	"github.com/ashlar-go/ashlar/transport/inproc"
	natstransport "github.com/ashlar-go/ashlar/transport/nats"
)

type text = wrapperspb.StringValue

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// clients call shop.Orders/Place and shop.Orders/Watch, which is a stream.
type clients struct {
	place endpoint.Endpoint[*text, *text]
	watch endpoint.Stream[*text, *text]
}

func placeSpec() endpoint.Spec {
	return endpoint.Spec{Service: "shop.Orders", Method: "Place", Kind: endpoint.Unary}
}

func watchSpec() endpoint.Spec {
	return endpoint.Spec{Service: "shop.Orders", Method: "Watch", Kind: endpoint.ServerStream}
}

func place(context.Context, *text) (*text, error) { return &text{Value: "placed"}, nil }

// watch sends one message, and to whom asks for "all" more and more, until it is stopped.
func watch(ctx context.Context, in iter.Seq2[*text, error], out func(*text) error) error {
	all := false
	for asked, err := range in {
		if err != nil {
			return err
		}
		all = asked.GetValue() == "all"
	}
	if !all {
		return out(&text{Value: "seen"})
	}
	ticker := time.NewTicker(time.Millisecond)
	defer ticker.Stop()
	for ctx.Err() == nil {
		if err := out(&text{Value: "seen"}); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
		case <-ticker.C:
		}
	}
	return ctx.Err()
}

func overHTTP(t *testing.T, mw ...endpoint.Middleware) clients {
	t.Helper()
	mux := http.NewServeMux()
	with, codecs := httptransport.ServerMiddleware(mw...), httptransport.ServerCodecs(proto.JSON())
	mux.Handle("POST /orders/place", httptransport.NewServer(placeSpec(), place, with, codecs))
	mux.Handle("POST /orders/watch", httptransport.NewStreamServer(watchSpec(), watch, with, codecs))
	listener := must((&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0"))
	server := httptransport.NewHTTPServer(mux)
	var work sync.WaitGroup
	work.Go(func() { _ = server.Serve(listener) })
	conn := must(httptransport.Dial("http://" + listener.Addr().String()))
	t.Cleanup(func() {
		_ = errors.Join(conn.Close(), server.Close())
		work.Wait()
	})
	return clients{
		place: must(httptransport.NewClient[*text, *text](placeSpec().Client(), conn, "POST /orders/place", httptransport.ClientCodecs(proto.JSON()))),
		watch: must(httptransport.NewStreamClient[*text, *text](watchSpec().Client(), conn, "POST /orders/watch", httptransport.ClientCodecs(proto.JSON()))),
	}
}

func overGRPC(t *testing.T, mw ...endpoint.Middleware) clients {
	t.Helper()
	server := grpctransport.NewGRPCServer()
	with := grpctransport.ServerMiddleware(mw...)
	grpctransport.Register(server, grpctransport.NewServer(placeSpec(), place, with), grpctransport.NewStreamServer(watchSpec(), watch, with))
	listener := must((&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0"))
	var work sync.WaitGroup
	work.Go(func() { _ = server.Serve(listener) })
	conn := must(grpctransport.Dial("passthrough:///"+listener.Addr().String(), grpctransport.DialInsecure()))
	t.Cleanup(func() {
		_ = conn.Close()
		server.Stop()
		work.Wait()
	})
	return clients{
		place: must(grpctransport.NewClient[*text, *text](placeSpec().Client(), conn)),
		watch: must(grpctransport.NewStreamClient[*text, *text](watchSpec().Client(), conn)),
	}
}

func overNATS(t *testing.T, mw ...endpoint.Middleware) clients {
	t.Helper()
	url := testserver.StartNATS(t).URL
	here, there := must(nats.Connect(url)), must(nats.Connect(url))
	t.Cleanup(func() {
		here.Close()
		there.Close()
	})
	with, codecs := natstransport.ServerMiddleware(mw...), natstransport.ServerCodecs(proto.New())
	service := must(natstransport.Serve(there, "orders", "1.0.0", []*natstransport.Server{
		natstransport.NewServer(placeSpec(), place, with, codecs), natstransport.NewStreamServer(watchSpec(), watch, with, codecs),
	}))
	conn := must(natstransport.NewConn(here))
	t.Cleanup(func() {
		_ = conn.Close()
		_ = service.Shutdown(context.Background())
	})
	return clients{
		place: must(natstransport.NewClient[*text, *text](placeSpec().Client(), conn, natstransport.ClientCodecs(proto.New()))),
		watch: must(natstransport.NewStreamClient[*text, *text](watchSpec().Client(), conn, natstransport.ClientCodecs(proto.New()))),
	}
}

func inProcess(t *testing.T, mw ...endpoint.Middleware) clients {
	t.Helper()
	mux := new(inproc.Mux)
	with := inproc.ServerMiddleware(mw...)
	mux.Handle(inproc.NewServer(placeSpec(), place, with), inproc.NewStreamServer(watchSpec(), watch, with))
	return clients{
		place: must(inproc.NewClient[*text, *text](placeSpec().Client(), mux)),
		watch: must(inproc.NewStreamClient[*text, *text](watchSpec().Client(), mux)),
	}
}

func transports() map[string]func(*testing.T, ...endpoint.Middleware) clients {
	return map[string]func(*testing.T, ...endpoint.Middleware) clients{
		"http": overHTTP, "grpc": overGRPC, "nats": overNATS, "inproc": inProcess,
	}
}

// roles knows callers by a header field with their role.
func roles(_ context.Context, call *transport.Info) (*auth.Principal, error) {
	role, err := auth.Header(call, "X-Role")
	if err != nil {
		return nil, &auth.ChallengeError{Challenge: `Role realm="shop"`, Err: err}
	}
	return who(role, ""), nil
}

// The operation has one name on all transports, that of the Spec, whatever route, path or subject leads to it.
func TestOneRuleHoldsOverEveryTransport(t *testing.T) {
	t.Parallel()
	r := rules(t,
		authz.Rule{Name: "all", Effect: authz.Allow, Operations: []string{"*"}, Who: authz.Authenticated},
		authz.Rule{Name: "no", Effect: authz.Deny, Operations: []string{"shop.Orders/*"}, Roles: []string{"trainee"}},
	)
	for name, open := range transports() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := open(t, auth.Middleware(auth.Optional(auth.Func(roles))), r.Middleware)
			for _, test := range []struct {
				role string
				code status.Code
			}{{"staff", status.OK}, {"trainee", status.PermissionDenied}, {"", status.Unauthenticated}} {
				ctx, seen := transport.Observe(t.Context())
				if test.role != "" {
					ctx = transport.WithHeader(ctx, "X-Role", test.role)
				}
				_, err := c.place(ctx, &text{Value: "x"})
				if status.CodeOf(err) != test.code || err != nil && strings.Contains(err.Error(), "rule") {
					t.Errorf("%q: want %v and no rule told, have %v", test.role, test.code, err)
				}
				if have := seen.Info().Response.Get("WWW-Authenticate"); (have == `Role realm="shop"`) != (test.role == "") {
					t.Errorf("%q: have the challenge %q", test.role, have)
				}
				sent := 0
				err = c.watch(ctx, endpoint.Seq(&text{Value: "x"}), func(*text) error { sent++; return nil })
				if status.CodeOf(err) != test.code || (sent == 1) != (test.code == status.OK) {
					t.Errorf("%q: want the stream to end with %v, have %v and %d messages", test.role, test.code, err, sent)
				}
			}
		})
	}
}

func TestAReloadEndsStreamsOverEveryTransport(t *testing.T) {
	t.Parallel()
	for name, open := range transports() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "rules.json")
			put(t, path, allowing("a"))
			s := source(t, path, authz.SourceInterval(time.Hour))
			c := open(t, auth.Middleware(auth.Func(roles)), s.Middleware, authz.Rejudge(s, 10*time.Millisecond))
			ctx := transport.WithHeader(t.Context(), "X-Role", "a")
			seen := 0
			err := c.watch(ctx, endpoint.Seq(&text{Value: "all"}), func(*text) error {
				if seen++; seen > 30 { // by when it has been asked again, and allowed
					put(t, path, allowing("b"))
					return s.Reload()
				}
				return nil
			})
			if status.CodeOf(err) != status.PermissionDenied || status.As(err).Reason != authz.ReasonForbidden || seen <= 30 {
				t.Errorf("want the stream to end with %s after 30 messages, have %v after %d", authz.ReasonForbidden, err, seen)
			}
			if _, err := c.place(ctx, &text{}); status.CodeOf(err) != status.PermissionDenied {
				t.Errorf("want calls refused, too, have %v", err)
			}
		})
	}
}
