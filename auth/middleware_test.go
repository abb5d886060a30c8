package auth_test

import (
	"context"
	"errors"
	"iter"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ashlar-go/ashlar/auth"
	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
	"github.com/ashlar-go/ashlar/transport/inproc"
)

const secret = "granite-7"

// tokens knows one bearer token.
func tokens(_ context.Context, call *transport.Info) (*auth.Principal, error) {
	token, err := auth.Authorization(call, "Bearer")
	switch {
	case errors.Is(err, auth.ErrNone):
		return nil, &auth.ChallengeError{Challenge: `Bearer realm="quarry"`, Err: err}
	case err == nil && token == "later":
		return nil, auth.ErrUnavailable
	case err == nil && token != secret:
		err = errors.New("no such token")
	}
	if err != nil {
		return nil, &auth.ChallengeError{Challenge: `Bearer realm="quarry", error="invalid_token"`, Err: err}
	}
	return &auth.Principal{Subject: "ann", Issuer: "quarry", Method: "test", Roles: []string{"mason"}, Scopes: []string{"cut"}}, nil
}

// served is an endpoint that succeeds.
func served(context.Context, any) (any, error) { return struct{}{}, nil }

func keys(_ context.Context, call *transport.Info) (*auth.Principal, error) {
	key, err := auth.Header(call, "X-Key")
	if err != nil {
		return nil, err
	}
	return &auth.Principal{Subject: key, Method: "key"}, nil
}

// serve asks an operation behind the authenticator, and returns who the caller was there, and the challenges.
func serve(ctx context.Context, t *testing.T, a auth.Authenticator) (who string, challenges []string, err error) {
	t.Helper()
	spec := endpoint.Spec{Service: "quarry", Method: "Who"}
	var mux inproc.Mux
	mux.Handle(inproc.NewServer(spec, func(ctx context.Context, _ string) (string, error) {
		return auth.PrincipalOf(ctx).String(), nil
	}, inproc.ServerMiddleware(auth.Middleware(a))))
	call, err := inproc.NewClient[string, string](spec.Client(), &mux)
	if err != nil {
		t.Fatal(err)
	}
	ctx, seen := transport.Observe(ctx)
	who, err = call(ctx, "")
	return who, seen.Info().Response.Values("WWW-Authenticate"), err
}

func TestMiddleware(t *testing.T) {
	t.Parallel()
	const bare, invalid = `Bearer realm="quarry"`, `Bearer realm="quarry", error="invalid_token"`
	broken := auth.Func(func(context.Context, *transport.Info) (*auth.Principal, error) { return nil, nil }) //nolint:nilnil // as none may
	for _, test := range []struct {
		name       string
		by         auth.Authenticator
		header     []string
		who        string
		code       status.Code
		reason     string
		challenges []string
	}{
		{"good", auth.Func(tokens), []string{"Authorization", "Bearer " + secret}, "ann@quarry", status.OK, "", nil},
		{"in another case", auth.Func(tokens), []string{"authorization", "bEARER  " + secret}, "ann@quarry", status.OK, "", nil},
		{"missing", auth.Func(tokens), nil, "", status.Unauthenticated, auth.ReasonMissing, []string{bare}},
		{"another scheme", auth.Func(tokens), []string{"Authorization", "Basic YQ=="}, "", status.Unauthenticated, auth.ReasonMissing, []string{bare}},
		{"bad", auth.Func(tokens), []string{"Authorization", "Bearer x"}, "", status.Unauthenticated, auth.ReasonInvalid, []string{invalid}},
		{"twice", auth.Func(tokens), []string{"Authorization", "Bearer " + secret, "Bearer x"}, "", status.Unauthenticated, auth.ReasonInvalid, []string{invalid}},
		{"not to be said", auth.Func(tokens), []string{"Authorization", "Bearer later"}, "", status.Unavailable, auth.ReasonUnavailable, nil},
		{"nobody and no error", broken, nil, "", status.Unauthenticated, auth.ReasonInvalid, nil},
		{"nil function", auth.Func(nil), nil, "", status.Unauthenticated, auth.ReasonInvalid, nil},
		{"nil", nil, nil, "", status.Internal, "", nil},
		{"any of none", auth.AnyOf(), nil, "", status.Unauthenticated, auth.ReasonMissing, nil},
		{"first", auth.AnyOf(auth.Func(tokens), auth.Func(keys)), []string{"Authorization", "Bearer " + secret}, "ann@quarry", status.OK, "", nil},
		{"second", auth.AnyOf(auth.Func(tokens), auth.Func(keys)), []string{"X-Key", "k"}, "k", status.OK, "", nil},
		{"neither", auth.AnyOf(auth.Func(tokens), auth.Func(keys)), nil, "", status.Unauthenticated, auth.ReasonMissing, []string{bare}},
		{"nil among", auth.AnyOf(nil, auth.Func(keys)), []string{"X-Key", "k"}, "", status.Unauthenticated, auth.ReasonInvalid, nil},
		{"optional and missing", auth.Optional(auth.Func(tokens)), nil, "nobody", status.OK, "", nil},
		{"optional and good", auth.Optional(auth.Func(tokens)), []string{"Authorization", "Bearer " + secret}, "ann@quarry", status.OK, "", nil},
		{"optional and bad", auth.Optional(auth.Func(tokens)), []string{"Authorization", "Bearer x"}, "", status.Unauthenticated, auth.ReasonInvalid, []string{invalid}},
		{"optional of nil", auth.Optional(nil), nil, "", status.Unauthenticated, auth.ReasonInvalid, nil},
		{"optional within", auth.AnyOf(auth.Optional(auth.Func(tokens))), nil, "", status.Unauthenticated, auth.ReasonInvalid, nil},
	} {
		ctx := t.Context()
		if len(test.header) > 0 {
			ctx = transport.WithHeader(ctx, test.header[0], test.header[1:]...)
		}
		who, challenges, err := serve(ctx, t, test.by)
		if who != test.who || status.CodeOf(err) != test.code || !slices.Equal(challenges, test.challenges) {
			t.Errorf("%s: want %q, %v, %q, have %q, %v, %q", test.name, test.who, test.code, test.challenges, who, err, challenges)
		}
		if test.reason != "" && status.As(err).Reason != test.reason {
			t.Errorf("%s: want %s, have %v", test.name, test.reason, err)
		}
	}
}

// A bad token is not made up for by other credentials: else who has lost the rights of a user would get those of the service it calls from.
func TestBadCredentialsAreNotMadeUpForByOthers(t *testing.T) {
	t.Parallel()
	ctx := transport.WithHeader(transport.WithHeader(t.Context(), "Authorization", "Bearer x"), "X-Key", "k")
	if _, _, err := serve(ctx, t, auth.AnyOf(auth.Func(tokens), auth.Func(keys))); status.CodeOf(err) != status.Unauthenticated {
		t.Errorf("want unauthenticated, have %v", err)
	}
}

func TestWhyIsInTheCauseOnly(t *testing.T) {
	t.Parallel()
	h := auth.Middleware(auth.Func(tokens))(endpoint.Spec{Method: "Who"}, served)
	ctx, info := transport.NewServerContext(t.Context(), transport.Info{Request: make(transport.HeaderMap), Response: make(transport.HeaderMap)})
	info.Request.Set("Authorization", "Bearer x")
	_, err := h(ctx, nil)
	shown := status.As(err)
	if shown == nil || strings.Contains(shown.Message, "no such token") || !strings.Contains(err.Error(), "no such token") {
		t.Errorf("want the reason in the cause only, have %+v", err)
	}
	for _, wrong := range []endpoint.Handler{
		func(_ context.Context, r any) (any, error) { return h(t.Context(), r) },
		auth.Middleware(auth.Func(tokens))(endpoint.Spec{Method: "Who"}.Client(), nil),
	} {
		if _, err := wrong(t.Context(), nil); status.CodeOf(err) != status.Internal {
			t.Errorf("want internal, have %v", err)
		}
	}
	deaf, _ := transport.NewServerContext(t.Context(), transport.Info{Request: info.Request}) // in which nothing can be told
	if _, err := h(deaf, nil); status.CodeOf(err) != status.Unauthenticated {
		t.Errorf("want unauthenticated, have %v", err)
	}
	gone, cancel := context.WithCancel(ctx)
	cancel()
	telling := auth.Middleware(auth.Func(func(context.Context, *transport.Info) (*auth.Principal, error) {
		return nil, status.New(status.NotFound, "no such user")
	}))(endpoint.Spec{Method: "Who"}, served)
	for _, h := range []endpoint.Handler{h, telling} {
		if _, err := h(gone, nil); status.CodeOf(err) != status.Canceled || strings.Contains(status.As(err).Message, "such") {
			t.Errorf("want canceled and no reason, have %v", err)
		}
	}
}

func TestAPanicOfTheAuthenticatorRefuses(t *testing.T) {
	t.Parallel()
	panics := auth.Func(func(context.Context, *transport.Info) (*auth.Principal, error) { panic("no") })
	for _, a := range []auth.Authenticator{panics, auth.Optional(panics), auth.AnyOf(panics, auth.Func(keys))} {
		who, _, err := serve(transport.WithHeader(t.Context(), "X-Key", "k"), t, a)
		if who != "" || status.CodeOf(err) != status.Internal {
			t.Errorf("want internal, have %q, %v", who, err)
		}
	}
}

func TestAStreamIsRefusedBeforeItsFirstMessage(t *testing.T) {
	t.Parallel()
	spec := endpoint.Spec{Service: "quarry", Method: "Watch", Kind: endpoint.Bidirectional}
	var mux inproc.Mux
	mux.Handle(inproc.NewStreamServer(spec, func(context.Context, iter.Seq2[string, error], func(string) error) error {
		t.Error("want no stream, have one")
		return nil
	}, inproc.ServerMiddleware(auth.Middleware(auth.Func(tokens)))))
	call, err := inproc.NewStreamClient[string, string](spec.Client(), &mux)
	if err != nil {
		t.Fatal(err)
	}
	if err := call(t.Context(), func(func(string, error) bool) {}, func(string) error { return nil }); status.CodeOf(err) != status.Unauthenticated {
		t.Errorf("want unauthenticated, have %v", err)
	}
}

func TestExpiringEndsStreamsInTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		waits := func(ctx context.Context, _ any) (any, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}
		began := time.Now()
		ctx := auth.WithPrincipal(t.Context(), &auth.Principal{Subject: "ann", Expires: began.Add(time.Minute)})
		_, err := auth.Expiring()(endpoint.Spec{Method: "Watch", Kind: endpoint.ServerStream}, waits)(ctx, nil)
		if e := status.As(err); e == nil || e.Code != status.Unauthenticated || e.Reason != auth.ReasonExpired || time.Since(began) != time.Minute {
			t.Errorf("want %s after a minute, have %v after %v", auth.ReasonExpired, err, time.Since(began))
		}
		short, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		for _, spec := range []endpoint.Spec{{Kind: endpoint.Unary}, {Kind: endpoint.ServerStream}} {
			who := short
			if spec.Kind != endpoint.Unary {
				who = auth.WithPrincipal(short, nil)
			}
			if _, err := auth.Expiring()(spec, waits)(who, nil); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("want the error of the endpoint, have %v", err)
			}
		}
	})
}

func TestPrincipal(t *testing.T) {
	t.Parallel()
	var nobody *auth.Principal
	p := &auth.Principal{Subject: "ann", Roles: []string{"mason"}, Scopes: []string{"cut"}, Claims: 7}
	if !p.HasRole("mason") || p.HasRole("cut") || !p.HasScope("cut") || p.HasScope("mason") || p.String() != "ann" {
		t.Errorf("want ann with a role and a scope, have %v", p)
	}
	if nobody.HasRole("") || nobody.HasScope("") || nobody.String() != "nobody" || auth.PrincipalOf(t.Context()) != nil {
		t.Errorf("want nobody, have %v", nobody)
	}
	n, ok := auth.ClaimsOf[int](p)
	_, other := auth.ClaimsOf[string](p)
	if _, none := auth.ClaimsOf[int](nobody); n != 7 || !ok || other || none {
		t.Errorf("want 7 as int alone, have %d, %v, %v, %v", n, ok, other, none)
	}
}

func TestHeaderFieldsAreOfVisibleCharacters(t *testing.T) {
	t.Parallel()
	for c := range 256 {
		value := "a" + string([]byte{byte(c)}) + "a"
		call := &transport.Info{Request: transport.HeaderMap{"X-Api-Key": {value}}}
		have, err := auth.Header(call, "X-Api-Key")
		if visible := c >= ' ' && c <= '~'; visible != (err == nil) || visible && have != value {
			t.Errorf("%q: have %q, %v", value, have, err)
		}
	}
}

func FuzzAuthorization(f *testing.F) {
	for _, seed := range []string{"Bearer a", "bearer", "Bearer ", " Bearer a", "Basic\ta", "Bearer a\x00", strings.Repeat("a", auth.MaxCredentials+1)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		call := &transport.Info{Request: transport.HeaderMap{"Authorization": {value}}}
		rest, err := auth.Authorization(call, "Bearer")
		if (rest == "") != (err != nil) || !strings.HasSuffix(value, rest) || len(value) > auth.MaxCredentials && err == nil {
			t.Errorf("want a part of %q or an error, have %q, %v", value, rest, err)
		}
	})
}

func TestOptionalKeepsWhatNobodyIsToBeTold(t *testing.T) {
	t.Parallel()
	const bare = `Bearer realm="quarry"`
	both := auth.Optional(auth.AnyOf(auth.Func(tokens), auth.Func(func(context.Context, *transport.Info) (*auth.Principal, error) {
		return nil, &auth.ChallengeError{Challenge: "Basic", Err: auth.ErrNone}
	})))
	for _, test := range []struct {
		name  string
		by    auth.Authenticator
		token string
		want  []string
	}{
		{"nobody", both, "", []string{bare, "Basic"}},
		{"twice", auth.Optional(both), "", []string{bare, "Basic"}},
		{"without a challenge", auth.Optional(auth.Func(keys)), "", nil},
		{"somebody", both, "Bearer " + secret, nil},
	} {
		call, info := transport.NewServerContext(t.Context(), transport.Info{Request: make(transport.HeaderMap), Response: make(transport.HeaderMap)})
		if test.token != "" {
			info.Request.Set("Authorization", test.token)
		}
		_, err := auth.Middleware(test.by)(endpoint.Spec{Method: "x", Kind: endpoint.Unary}, func(ctx context.Context, _ any) (any, error) {
			if have := auth.Challenges(ctx); !slices.Equal(have, test.want) || (auth.PrincipalOf(ctx) == nil) != (test.token == "") {
				t.Errorf("%s: want %q, have %q and %v", test.name, test.want, have, auth.PrincipalOf(ctx))
			}
			if have := auth.Challenges(auth.WithPrincipal(ctx, &auth.Principal{})); have != nil {
				t.Errorf("%s: want nothing told to somebody further in, have %q", test.name, have)
			}
			return struct{}{}, nil
		})(auth.WithPrincipal(call, &auth.Principal{Subject: "somebody else"}), nil)
		if err != nil || info.Response.Get("WWW-Authenticate") != "" {
			t.Errorf("%s: want it let through without a challenge, have %v and %v", test.name, err, info.Response)
		}
	}
	if have := auth.Challenges(t.Context()); have != nil {
		t.Errorf("want nothing, have %q", have)
	}
}
