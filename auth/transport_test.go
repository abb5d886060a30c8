package auth_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"slices"
	"sync"
	"testing"

	"github.com/nats-io/nats.go"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/ashlar-go/ashlar/auth"
	apikeyauth "github.com/ashlar-go/ashlar/auth/apikey"
	basicauth "github.com/ashlar-go/ashlar/auth/basic"
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

func whoSpec() endpoint.Spec { return endpoint.Spec{Service: "quarry", Method: "Who"} }

func who(ctx context.Context, _ *text) (*text, error) {
	return &text{Value: auth.PrincipalOf(ctx).String()}, nil
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func overHTTP(t *testing.T, mw endpoint.Middleware) endpoint.Endpoint[*text, *text] {
	t.Helper()
	mux := http.NewServeMux()
	mux.Handle("POST /who", httptransport.NewServer(whoSpec(), who, httptransport.ServerMiddleware(mw), httptransport.ServerCodecs(proto.New())))
	listener := must((&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0"))
	server := httptransport.NewHTTPServer(mux)
	var work sync.WaitGroup
	work.Go(func() { _ = server.Serve(listener) })
	conn := must(httptransport.Dial("http://" + listener.Addr().String()))
	t.Cleanup(func() {
		_ = errors.Join(conn.Close(), server.Close())
		work.Wait()
	})
	return must(httptransport.NewClient[*text, *text](whoSpec().Client(), conn, "POST /who", httptransport.ClientCodecs(proto.New())))
}

func overGRPC(t *testing.T, mw endpoint.Middleware) endpoint.Endpoint[*text, *text] {
	t.Helper()
	server := grpctransport.NewGRPCServer()
	grpctransport.Register(server, grpctransport.NewServer(whoSpec(), who, grpctransport.ServerMiddleware(mw)))
	listener := must((&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0"))
	var work sync.WaitGroup
	work.Go(func() { _ = server.Serve(listener) })
	conn := must(grpctransport.Dial("passthrough:///"+listener.Addr().String(), grpctransport.DialInsecure()))
	t.Cleanup(func() {
		_ = conn.Close()
		server.Stop()
		work.Wait()
	})
	return must(grpctransport.NewClient[*text, *text](whoSpec().Client(), conn))
}

func overNATS(t *testing.T, mw endpoint.Middleware) endpoint.Endpoint[*text, *text] {
	t.Helper()
	url := testserver.StartNATS(t).URL
	here, there := must(nats.Connect(url)), must(nats.Connect(url))
	t.Cleanup(func() {
		here.Close()
		there.Close()
	})
	server := natstransport.NewServer(whoSpec(), who, natstransport.ServerMiddleware(mw), natstransport.ServerCodecs(proto.New()))
	service := must(natstransport.Serve(there, "quarry", "1.0.0", []*natstransport.Server{server}))
	conn := must(natstransport.NewConn(here))
	t.Cleanup(func() {
		_ = conn.Close()
		_ = service.Shutdown(context.Background())
	})
	return must(natstransport.NewClient[*text, *text](whoSpec().Client(), conn, natstransport.ClientCodecs(proto.New())))
}

func TestCallersAreKnownOrRefusedOverEveryNetwork(t *testing.T) {
	t.Parallel()
	for name, open := range map[string]func(*testing.T, endpoint.Middleware) endpoint.Endpoint[*text, *text]{
		"http": overHTTP, "grpc": overGRPC, "nats": overNATS,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			call := open(t, auth.Middleware(auth.AnyOf(auth.Func(tokens), auth.Func(basic))))
			ann := endpoint.New(whoSpec().Client(), call, newCredentials(t, auth.Bearer(secret)).Middleware)
			if who, err := ann(t.Context(), &text{}); err != nil || who.GetValue() != "ann@quarry" {
				t.Errorf("want ann@quarry, have %v, %v", who, err)
			}
			ctx, seen := transport.Observe(t.Context())
			_, err := call(ctx, &text{})
			e := status.As(err)
			if e == nil || e.Code != status.Unauthenticated || e.Reason != auth.ReasonMissing || e.Message != "the credentials are missing" {
				t.Errorf("want unauthenticated, %s, have %v", auth.ReasonMissing, err)
			}
			want := []string{`Bearer realm="quarry"`, `Basic realm="quarry"`}
			if have := seen.Info().Response.Values("WWW-Authenticate"); !slices.Equal(have, want) {
				t.Errorf("want %q, have %q", want, have)
			}
		})
	}
}

// basic takes nobody.
func basic(_ context.Context, call *transport.Info) (*auth.Principal, error) {
	_, err := auth.Authorization(call, "Basic")
	if err == nil {
		err = errors.New("nobody is known")
	}
	return nil, &auth.ChallengeError{Challenge: `Basic realm="quarry"`, Err: err}
}

func overNothing(t *testing.T, mw endpoint.Middleware) endpoint.Endpoint[*text, *text] {
	t.Helper()
	var mux inproc.Mux
	mux.Handle(inproc.NewServer(whoSpec(), who, inproc.ServerMiddleware(mw)))
	return must(inproc.NewClient[*text, *text](whoSpec().Client(), &mux))
}

func TestPasswordsAndKeysWorkOnEveryTransport(t *testing.T) {
	t.Parallel()
	weak := basicauth.Parameters{Memory: 64, Passes: 1, Lanes: 1}
	hash := must(basicauth.NewHash("granite: ü", weak))
	byPassword := must(basicauth.New(func(_ context.Context, user string) (basicauth.User, error) {
		if user != "ann" {
			return basicauth.User{}, basicauth.ErrUnknown
		}
		return basicauth.User{Hash: hash}, nil
	}, basicauth.Want(weak)))
	key, record, err := apikeyauth.Generate("quarry", auth.Principal{Subject: "billing"}, 0)
	if err != nil {
		t.Fatal(err)
	}
	find := func(_ context.Context, id string) (apikeyauth.Record, error) {
		if id != record.ID {
			return apikeyauth.Record{}, apikeyauth.ErrUnknown
		}
		return record, nil
	}
	byKey, byField := must(apikeyauth.New("quarry", find)), must(apikeyauth.New("quarry", find, apikeyauth.Header("X-Api-Key")))
	for name, open := range map[string]func(*testing.T, endpoint.Middleware) endpoint.Endpoint[*text, *text]{
		"http": overHTTP, "grpc": overGRPC, "nats": overNATS, "inproc": overNothing,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			call := open(t, auth.Middleware(auth.AnyOf(byKey, byField, byPassword)))
			for _, c := range []struct {
				source auth.Source
				want   string
			}{
				{must(basicauth.NewSource("ann", "granite: ü")), "ann"},
				{must(apikeyauth.NewSource(key, "")), "billing"},
				{must(apikeyauth.NewSource(key, "X-Api-Key")), "billing"},
				{must(basicauth.NewSource("ann", "granite")), ""},
				{must(basicauth.NewSource("eve", "granite: ü")), ""},
				{auth.Bearer(key[:len(key)-1]), ""},
			} {
				who, err := endpoint.New(whoSpec().Client(), call, newCredentials(t, c.source).Middleware)(t.Context(), &text{})
				if who.GetValue() != c.want || (err == nil) != (c.want != "") {
					t.Errorf("want %q, have %v, %v", c.want, who, err)
				}
				if e := status.As(err); c.want == "" && (e == nil || e.Code != status.Unauthenticated || e.Message != "the credentials are not valid") {
					t.Errorf("want unauthenticated, have %v", err)
				}
			}
		})
	}
}
