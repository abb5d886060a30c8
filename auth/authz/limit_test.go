package authz_test

import (
	"context"
	"iter"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ashlar-go/ashlar/auth"
	"github.com/ashlar-go/ashlar/auth/authz"
	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
)

// asking is a function as an Authorizer.
type asking func(ctx context.Context) (authz.Decision, error)

func (f asking) Authorize(ctx context.Context, _ string, _ *auth.Principal) (authz.Decision, error) {
	return f(ctx)
}

func TestAnAuthorizerHasATime(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]asking{
		"waits": func(ctx context.Context) (authz.Decision, error) { <-ctx.Done(); return authz.Decision{}, ctx.Err() },
		"late": func(context.Context) (authz.Decision, error) {
			<-time.After(authz.DefaultLimit + time.Second)
			return authz.Decision{Allowed: true}, nil
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			h := authz.Middleware(f)(endpoint.Spec{Service: "a", Method: "b"}, func(context.Context, any) (any, error) {
				t.Error("the call went through")
				return struct{}{}, nil
			})
			_, err := h(auth.WithPrincipal(t.Context(), &auth.Principal{Subject: "ann"}), nil)
			if e := status.As(err); e == nil || e.Reason != authz.ReasonUnavailable || time.Since(began) > authz.DefaultLimit+time.Second {
				t.Errorf("%s: want it unavailable, have %v after %v", name, err, time.Since(began))
			}
		})
	}
}

// An Authorizer that hangs later on ends the stream, and the header fields of the call are there for one that reads them.
func TestAStreamEndsWhoseAuthorizerHangs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		f := asking(func(ctx context.Context) (authz.Decision, error) {
			if asked++; asked > 3 {
				<-ctx.Done()
			}
			return authz.Decision{Allowed: transport.FromContext(ctx).Request.Get("Tenant") == "quarry"}, nil
		})
		spec := endpoint.Spec{Service: "a", Method: "b", Kind: endpoint.ServerStream}
		stream := endpoint.NewStream(spec, func(ctx context.Context, _ iter.Seq2[string, error], _ func(string) error) error {
			<-ctx.Done()
			return nil
		}, authz.Middleware(f), authz.Rejudge(f, time.Second))
		fields := make(transport.HeaderMap)
		fields.Set("Tenant", "quarry")
		ctx, _ := transport.NewServerContext(t.Context(), transport.Info{Request: fields, Response: make(transport.HeaderMap)})
		began := time.Now()
		err := stream(auth.WithPrincipal(ctx, &auth.Principal{Subject: "ann"}), func(func(string, error) bool) {}, func(string) error { return nil })
		if e := status.As(err); e == nil || e.Reason != authz.ReasonUnavailable || time.Since(began) != 3*time.Second+authz.DefaultLimit {
			t.Errorf("want its end after the limit of the fourth question, have %v after %v", err, time.Since(began))
		}
	})
}
