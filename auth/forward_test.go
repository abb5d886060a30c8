package auth_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ashlar-go/ashlar/auth"
	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
)

func TestForward(t *testing.T) {
	t.Parallel()
	passed := func(ctx context.Context, _ any) (any, error) {
		header := make(transport.HeaderMap)
		transport.SetOutgoing(ctx, header)
		return header.Get("Authorization"), nil
	}
	h := auth.Forward()(endpoint.Spec{Method: "Who"}.Client(), passed)
	served, info := transport.NewServerContext(t.Context(), transport.Info{Request: make(transport.HeaderMap)})
	ann := auth.WithPrincipal(served, &auth.Principal{Subject: "ann", Method: "jwt"})
	if have, err := h(ann, nil); have != "" || err != nil {
		t.Errorf("want none where there is none, have %v, %v", have, err)
	}
	const field = "Bearer " + secret
	info.Request.Set("Authorization", field)
	for name, test := range map[string]struct {
		ctx  context.Context
		want string
	}{
		"somebody":                 {ann, field},
		"nobody":                   {served, ""}, // Basic that a verifier of tokens did not look at, for one
		"somebody by certificate":  {auth.WithPrincipal(served, &auth.Principal{Subject: "ann", Method: "mtls"}), ""},
		"no call that is served":   {t.Context(), ""},
		"nobody within somebody's": {auth.WithPrincipal(ann, nil), ""},
	} {
		if have, err := h(test.ctx, nil); have != test.want || err != nil {
			t.Errorf("%s: want %q, have %v, %v", name, test.want, have, err)
		}
	}
	if _, err := auth.Forward()(endpoint.Spec{Method: "Who"}, passed)(ann, nil); status.CodeOf(err) != status.Internal {
		t.Errorf("want a server's endpoint refused, have %v", err)
	}
}

func TestAPrincipalIsSomebodyWhoHasNotExpired(t *testing.T) {
	t.Parallel()
	for name, p := range map[string]*auth.Principal{
		"nameless": {Roles: []string{"staff"}}, "expired": {Subject: "ann", Expires: time.Now().Add(-time.Second)},
	} {
		passed, _, err := through(t.Context(), func(context.Context, *transport.Info) (*auth.Principal, error) { return p, nil })
		if e := status.As(err); passed || e == nil || e.Reason != auth.ReasonInvalid {
			t.Errorf("%s: want it refused, have %v, passed %v", name, err, passed)
		}
	}
}

func TestStreamsEndWithTheirCredentialsByThemselves(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ann := auth.Func(func(context.Context, *transport.Info) (*auth.Principal, error) {
			return &auth.Principal{Subject: "ann", Expires: time.Now().Add(time.Minute)}, nil
		})
		for _, outlives := range []bool{false, true} {
			var opts []auth.Option
			if outlives {
				opts = append(opts, auth.Outlive())
			}
			h := auth.Middleware(ann, opts...)(endpoint.Spec{Method: "Watch", Kind: endpoint.ServerStream}, func(ctx context.Context, _ any) (any, error) {
				select {
				case <-ctx.Done():
				case <-time.After(time.Hour):
				}
				return nil, ctx.Err()
			})
			began := time.Now()
			ctx, _ := transport.NewServerContext(t.Context(), transport.Info{Request: make(transport.HeaderMap)})
			_, err := h(ctx, nil)
			e := status.As(err)
			if ended := e != nil && e.Reason == auth.ReasonExpired && time.Since(began) == time.Minute; ended == outlives {
				t.Errorf("outlives %v: have %v after %v", outlives, err, time.Since(began))
			}
		}
	})
}
