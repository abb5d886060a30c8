package authz_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ashlar-go/ashlar/auth"
	"github.com/ashlar-go/ashlar/auth/authz"
	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
)

// allowing is a file by which role may do everything, and no other.
func allowing(role string) string {
	return fmt.Sprintf(`{"rules": [{"name": %q, "effect": "allow", "operations": ["*"], "roles": [%q]}]}`, "rule of "+role, role)
}

// put writes a file as who changes files with care does.
func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path+".new", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

func source(t testing.TB, path string, opts ...authz.SourceOption) *authz.Source {
	t.Helper()
	s, err := authz.NewSource(path, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestAChangedFileIsTakenAndABadOneIsNot(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "rules.json")
	put(t, path, allowing("a"))
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var told []string
		panics := authz.SourceOnEvent(func(authz.Event) { panic("a log that fails") })
		s, err := authz.NewSource(path, panics, authz.SourceOnEvent(func(e authz.Event) {
			mu.Lock()
			defer mu.Unlock()
			told = append(told, e.String())
		}))
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		spec := endpoint.Spec{Service: "orders", Method: "Place", Kind: endpoint.Unary}
		h := s.Middleware(spec, served)
		other := authz.Middleware(s)(endpoint.Spec{Method: "Other", Kind: endpoint.Unary}, served)
		step := func(role string, reloads int, events ...string) {
			t.Helper()
			time.Sleep(time.Second)
			synctest.Wait()
			for _, have := range []string{"a", "b"} {
				for _, h := range []endpoint.Handler{h, other, s.Middleware(spec, served)} {
					_, err := h(auth.WithPrincipal(t.Context(), who(have, "")), nil)
					if (err == nil) != (have == role) {
						t.Errorf("want %q alone allowed, have %v of %q", role, err, have)
					}
				}
				if d, err := s.Authorize(t.Context(), "orders/Place", who(have, "")); err != nil || d.Allowed != (have == role) {
					t.Errorf("want %q alone allowed, have %v and %v", role, d, err)
				}
			}
			status := s.Status()
			bad := len(events) > 0 && strings.HasPrefix(events[len(events)-1], "authz: failed")
			if status.Reloads != reloads || status.Rules != 1 || status.Loaded.IsZero() || status.File != path || bad && status.Err == nil {
				t.Errorf("want %d reloads, have %+v", reloads, status)
			}
			mu.Lock()
			defer mu.Unlock()
			if len(told) != len(events) {
				t.Fatalf("want %q, have %q", events, told)
			}
			for i, want := range events {
				if !strings.HasPrefix(told[i], want) {
					t.Errorf("want %q, have %q", want, told[i])
				}
			}
			told = nil
		}
		loaded, failed := "authz: loaded "+path, "authz: failed "+path+": "
		step("a", 0, loaded)
		step("a", 0)
		put(t, path, allowing("b"))
		step("b", 1, loaded)
		put(t, path, allowing("a")[1:])
		step("b", 1, failed+path+": authz: line 1: want an object")
		step("b", 1)
		if err := s.Reload(); err == nil || !strings.Contains(err.Error(), "want an object") {
			t.Errorf("want Reload to say why, have %v", err)
		}
		put(t, path, `{"rules": []}`)
		step("b", 1, failed)
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		step("b", 1, failed)
		put(t, path, allowing("b"))
		step("b", 1) // what is in use
		if err := s.Status().Err; err != nil {
			t.Errorf("want no trouble, have %v", err)
		}
		put(t, path, allowing("a"))
		if err := s.Reload(); err != nil {
			t.Error(err)
		}
		step("a", 2, loaded)
		_ = s.Close()
		_ = s.Close()
		put(t, path, allowing("b"))
		step("a", 2)
	})
}

func TestAllOperationsChangeAtOnceUnderLoad(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "rules.json")
	put(t, path, allowing("a"))
	s := source(t, path, authz.SourceInterval(10*time.Millisecond))
	both := auth.WithPrincipal(t.Context(), who("a b", ""))
	never := auth.WithPrincipal(t.Context(), who("c", ""))
	var all sync.WaitGroup
	var calls atomic.Int64
	done := make(chan struct{})
	for i := range 4 {
		all.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-done:
					return
				default:
				}
				spec := endpoint.Spec{Service: "s", Method: fmt.Sprint("m", i, n%50), Kind: endpoint.Unary} // some are new while it changes
				h := s.Middleware(spec, served)
				if _, err := h(both, nil); err != nil {
					t.Errorf("want no call dropped, have %v", err)
					return
				}
				_, err := h(never, nil)
				if status.CodeOf(err) != status.PermissionDenied || !strings.Contains(err.Error(), "no rule of this operation is about this caller") {
					t.Errorf("want it refused, have %v", err)
					return
				}
				calls.Add(2)
			}
		})
	}
	for i := range 100 {
		put(t, path, allowing([]string{"b", "a"}[i%2]))
		if err := s.Reload(); err != nil {
			t.Error(err)
		}
	}
	close(done)
	all.Wait()
	if s.Status().Reloads != 100 || calls.Load() == 0 {
		t.Errorf("want 100 reloads under calls, have %+v under %d", s.Status(), calls.Load())
	}
}

func TestMistakesInSources(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "rules.json")
	put(t, path, allowing("a"))
	bad := path + ".bad"
	put(t, bad, "x")
	for _, test := range []struct {
		path string
		o    authz.SourceOption
		want string
	}{
		{"", authz.SourceInterval(time.Second), "want the name of a file"},
		{path + ".none", authz.SourceInterval(time.Second), "no such file"},
		{bad, authz.SourceInterval(time.Second), "line 1"},
		{filepath.Dir(path), authz.SourceInterval(time.Second), "no regular file"},
		{path, authz.SourceInterval(time.Millisecond), "SourceInterval"},
		{path, authz.SourceInterval(2 * time.Hour), "SourceInterval"},
		{path, authz.SourceOnEvent(nil), "SourceOnEvent"},
		{path, nil, "nil"},
	} {
		if s, err := authz.NewSource(test.path, test.o); s != nil || err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("want %q, have %v", test.want, err)
		}
	}
	for _, s := range []*authz.Source{nil, {}} {
		h := s.Middleware(endpoint.Spec{Method: "x"}, served)
		if _, err := h(auth.WithPrincipal(t.Context(), who("a", "")), nil); status.CodeOf(err) != status.Internal {
			t.Errorf("want Internal, have %v", err)
		}
		if _, err := s.Authorize(t.Context(), "x", nil); err == nil {
			t.Error("want an error")
		}
		if s.Close() != nil || s.Reload() == nil || s.Status().Err == nil || s.Rules() != nil {
			t.Errorf("want it to say that it is nothing, have %+v", s.Status())
		}
	}
	for kind, want := range map[authz.EventKind]string{authz.Loaded: "loaded", authz.Failed: "failed", 0: "EventKind(0)"} {
		if kind.String() != want {
			t.Errorf("want %q, have %q", want, kind)
		}
	}
}

type authorizer func(ctx context.Context, operation string, p *auth.Principal) (authz.Decision, error)

func (a authorizer) Authorize(ctx context.Context, operation string, p *auth.Principal) (authz.Decision, error) {
	return a(ctx, operation, p)
}

func TestAnyAuthorizer(t *testing.T) {
	t.Parallel()
	spec := endpoint.Spec{Service: "orders", Method: "Place", Kind: endpoint.Unary}
	ann := who("", "")
	for _, test := range []struct {
		name   string
		a      authz.Authorizer
		caller *auth.Principal
		code   status.Code
		cause  string
	}{
		{"allowed", authorizer(func(_ context.Context, o string, p *auth.Principal) (authz.Decision, error) {
			return authz.Decision{Allowed: o == "orders/Place" && p == ann}, nil
		}), ann, status.OK, ""},
		{"refused", authorizer(func(context.Context, string, *auth.Principal) (authz.Decision, error) {
			return authz.Decision{Operation: "another", Why: "reason"}, nil
		}), ann, status.PermissionDenied, "orders/Place by ann is refused: reason"},
		{"nobody", authorizer(func(context.Context, string, *auth.Principal) (authz.Decision, error) {
			return authz.Decision{Why: "reason"}, nil
		}), nil, status.Unauthenticated, "orders/Place by nobody is refused: reason"},
		{"error", authorizer(func(context.Context, string, *auth.Principal) (authz.Decision, error) {
			return authz.Decision{Allowed: true}, status.New(status.NotFound, "secret reason")
		}), ann, status.Internal, "orders/Place by ann: not_found: secret reason"},
		{"unavailable", authorizer(func(context.Context, string, *auth.Principal) (authz.Decision, error) {
			return authz.Decision{Allowed: true}, fmt.Errorf("secret reason: %w", auth.ErrUnavailable)
		}), ann, status.Unavailable, "secret reason"},
		{"nil", nil, ann, status.Internal, "the Authorizer is nil"},
		{"nil function", authorizer(nil), ann, status.Internal, "the Authorizer is nil"},
		{"nil rules", (*authz.Rules)(nil), ann, status.Internal, "the Authorizer is nil"},
		{"no rules", new(authz.Rules), ann, status.Internal, "the Rules are not made"},
	} {
		_, err := authz.Middleware(test.a)(spec, served)(auth.WithPrincipal(t.Context(), test.caller), nil)
		if status.CodeOf(err) != test.code || err != nil && !strings.Contains(errors.Unwrap(err).Error(), test.cause) {
			t.Errorf("%s: want %v and %q, have %v", test.name, test.code, test.cause, err)
		}
		if err != nil && strings.Contains(status.From(err).Message, "reason") {
			t.Errorf("%s: the caller is told why: %v", test.name, err)
		}
	}
	ctx, cancel := context.WithCancel(auth.WithPrincipal(t.Context(), ann))
	cancel()
	ended := authorizer(func(ctx context.Context, _ string, _ *auth.Principal) (authz.Decision, error) {
		return authz.Decision{}, ctx.Err()
	})
	if _, err := authz.Middleware(ended)(spec, served)(ctx, nil); status.CodeOf(err) != status.Canceled {
		t.Errorf("want canceled, have %v", err)
	}
	if _, err := authz.Middleware(ended)(spec.Client(), served)(ctx, nil); status.CodeOf(err) != status.Internal {
		t.Errorf("want it refused at a client, have %v", err)
	}
	if _, err := new(authz.Rules).Authorize(t.Context(), "a/b", ann); err == nil {
		t.Error("want an error of Rules that are none")
	}
	if d, err := rules(t, authz.Rule{Name: "x", Effect: authz.Allow, Operations: []string{"a/b"}, Who: authz.Anybody}).
		Authorize(t.Context(), "a/b", nil); err != nil || !d.Allowed {
		t.Errorf("have %v and %v", d, err)
	}
	defer func() {
		if recover() == nil {
			t.Error("want the panic to go on")
		}
	}()
	panics := authorizer(func(context.Context, string, *auth.Principal) (authz.Decision, error) { panic("x") })
	_, _ = authz.Middleware(panics)(spec, served)(t.Context(), nil)
}
