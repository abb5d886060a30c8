package oauth2auth_test

import (
	"compress/gzip"
	"context"
	"errors"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ashlar-go/ashlar/auth"
	oauth2auth "github.com/ashlar-go/ashlar/auth/oauth2"
	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
)

// refusal returns what a caller sees of an error, and what the log of the server does.
func refusal(t *testing.T, a auth.Authenticator, values []string) (code status.Code, challenge []string, text, log string) {
	t.Helper()
	info := call(values...)
	info.Response = transport.HeaderMap{}
	ctx, served := transport.NewServerContext(t.Context(), *info)
	handler := auth.Middleware(a)(endpoint.Spec{Service: "S", Method: "M", Side: endpoint.Server}, func(context.Context, any) (any, error) {
		t.Error("the call went through")
		return struct{}{}, nil
	})
	_, err := handler(ctx, nil)
	s, ok := errors.AsType[*status.Error](err)
	if !ok {
		t.Fatalf("have %v", err)
	}
	return status.CodeOf(err), served.Response.Values("WWW-Authenticate"), s.Message, err.Error()
}

func TestWhatIsNoGoodTokenIsRefused(t *testing.T) {
	t.Parallel()
	i := func(said string, opts ...oauth2auth.IntrospectorOption) auth.Authenticator {
		return introspector(t, introspection, append(opts, by(answering(said)))...)
	}
	good := `{"active":true,` + ann() + `}`
	for name, attack := range map[string]struct {
		a      auth.Authenticator
		values []string
	}{
		"not active":         {i(`{"active":false}`), nil},
		"not active, and so": {i(`{"active":false,` + ann() + `}`), nil},
		"wrong audience":     {i(`{"active":true,"sub":"ann","aud":"payments"}`), nil},
		"part of audience":   {i(`{"active":true,"sub":"ann","aud":"orders payments"}`), nil},
		"no audience":        {i(`{"active":true,"sub":"ann"}`), nil},
		"no subject":         {i(`{"active":true,"aud":"orders"}`), nil},
		"subject is null":    {i(`{"active":true,"aud":"orders","sub":null}`), nil},
		"other subject":      {i(good, oauth2auth.Subject("client_id")), nil},
		"expired":            {i(`{"active":true,` + ann(in("exp", -time.Minute)) + `}`), nil},
		"not yet valid":      {i(`{"active":true,` + ann(in("nbf", time.Minute)) + `}`), nil},
		"from the future":    {i(`{"active":true,` + ann(in("iat", time.Minute)) + `}`), nil},
		"exp is negative":    {i(`{"active":true,` + ann(`"exp":-1`) + `}`), nil},
		"exp is never":       {i(`{"active":true,` + ann(`"exp":1e300`) + `}`), nil},
		"another issuer":     {i(`{"active":true,`+ann(`"iss":"https://evil.example"`)+`}`, oauth2auth.Issuer("https://login.example")), nil},
		"no issuer":          {i(good, oauth2auth.Issuer("https://login.example")), nil},
		"no scope":           {i(`{"active":true,`+ann(`"scope":"readwrite"`)+`}`, oauth2auth.Scopes("read")), nil},
		"a claim is missing": {i(good, oauth2auth.Require("tenant")), nil},
		"a claim is null":    {i(`{"active":true,`+ann(`"tenant":null`)+`}`, oauth2auth.Require("tenant")), nil},
		"roles are numbers":  {i(`{"active":true,`+ann(`"roles":[1]`)+`}`, oauth2auth.Roles("roles")), nil},
		"mac":                {i(`{"active":true,` + ann(`"token_type":"mac"`) + `}`), nil},
		"DPoP":               {i(`{"active":true,` + ann(`"token_type":"DPoP"`) + `}`), nil},
		"bound to a key":     {i(`{"active":true,` + ann(`"cnf":{"x5t#S256":"abc"}`) + `}`), nil},
		"refresh, of Hydra":  {i(`{"active":true,` + ann(`"token_use":"refresh_token"`) + `}`), nil},
		"refresh, Keycloak":  {i(`{"active":true,` + ann(`"typ":"Refresh"`) + `}`), nil},
		"ID, of Keycloak":    {i(`{"active":true,` + ann(`"typ":"ID"`) + `}`), nil},
		"twice":              {i(good), []string{"Bearer t", "Bearer t"}},
		"two in one":         {i(good), []string{"Bearer t, Bearer t"}},
		"huge":               {i(good), []string{"Bearer " + strings.Repeat("x", 1<<20)}},
		"long":               {i(good), []string{"Bearer " + strings.Repeat("x", oauth2auth.DefaultMaxToken+1)}},
		"empty":              {i(good), []string{"Bearer "}},
		"with a space":       {i(good), []string{"Bearer a b"}},
		"with a quote":       {i(good), []string{`Bearer a"b`}},
		"a parameter":        {i(good), []string{"Bearer a&token=b"}},
	} {
		if attack.values == nil {
			attack.values = []string{"Bearer the-token-itself"}
		}
		code, challenge, text, log := refusal(t, auth.Optional(auth.AnyOf(attack.a, nobodyElse(t))), attack.values)
		if code != status.Unauthenticated || !slices.Equal(challenge, []string{`Bearer realm="api", error="invalid_token"`}) {
			t.Errorf("%s: have %v, %q: %s", name, code, challenge, log)
		}
		if text != "the credentials are not valid" || strings.Contains(log, "the-token-itself") {
			t.Errorf("%s: the caller is told %q, the log %q", name, text, log)
		}
	}
	if _, err := i(good).Authenticate(t.Context(), call("Bearer t")); err != nil {
		t.Error(err)
	}
}

// nobodyElse fails the test when it is asked.
func nobodyElse(t *testing.T) auth.Authenticator {
	t.Helper()
	return auth.Func(func(context.Context, *transport.Info) (*auth.Principal, error) {
		t.Error("a bad token is made up for by other credentials")
		return nil, auth.ErrNone
	})
}

func TestAnEndpointThatDoesNotAnswerAsItShouldIsUnavailable(t *testing.T) {
	t.Parallel()
	var elsewhere atomic.Bool
	other := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		elsewhere.Store(true)
		writeJSON(w, http.StatusOK, `{"active":true,`+ann()+`}`)
	})
	good := `{"active":true,` + ann() + `}`
	echo := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			_ = r.ParseForm()
			writeJSON(w, code, `{"error":"invalid_client","error_description":"`+r.Header.Get("Authorization")+` top-secret `+r.PostForm.Get("token")+`"}`)
		}
	}
	text := func(said string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, http.StatusOK, said) }
	}
	for name, handler := range map[string]http.HandlerFunc{
		"slow": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"drips": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			for r.Context().Err() == nil {
				_, _ = w.Write([]byte(" "))
				http.NewResponseController(w).Flush() //nolint:errcheck // the client goes
			}
		},
		"huge": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			for r.Context().Err() == nil {
				_, _ = w.Write([]byte(strings.Repeat(" ", 64<<10)))
			}
		},
		"bomb": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			_, _ = z.Write([]byte(good + strings.Repeat(" ", 8<<20)))
			_ = z.Close()
		},
		"just too long":   text(good + strings.Repeat(" ", oauth2auth.MaxAnswer)),
		"garbage":         text(`}{`),
		"empty":           text(``),
		"null":            text(`null`),
		"a list":          text(`[{"active":true}]`),
		"two":             text(good + good),
		"cut off":         text(good[:len(good)-1]),
		"deep":            text(`{"active":true,` + ann(`"x":`+strings.Repeat("[", 50)+strings.Repeat("]", 50)) + `}`),
		"very deep":       text(strings.Repeat(`{"a":`, 20_000)),
		"active is text":  text(`{"active":"true",` + ann() + `}`),
		"active is 1":     text(`{"active":1,` + ann() + `}`),
		"Active":          text(`{"Active":true,` + ann() + `}`),
		"active is null":  text(`{"active":null,` + ann() + `}`),
		"active twice":    text(`{"active":false,"active":true,` + ann() + `}`),
		"sub twice":       text(`{"active":true,"sub":"root",` + ann() + `}`),
		"sub is a number": text(`{"active":true,"sub":1,"aud":"orders"}`),
		"not UTF-8":       text("{\"active\":true," + ann("\"x\":\"\xff\"") + "}"),
		"HTML":            func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>" + good)) },
		"called text": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/plain")
			_, _ = w.Write([]byte(good))
		},
		"redirect": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, other, http.StatusTemporaryRedirect) },
		"found":    func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, other, http.StatusFound) },
		"500":      echo(http.StatusInternalServerError),
		"401":      echo(http.StatusUnauthorized),
		"201":      echo(http.StatusCreated),
		"hangs up": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	} {
		i := introspector(t, serve(t, handler), oauth2auth.Timeout(250*time.Millisecond))
		start := time.Now()
		code, challenge, said, log := refusal(t, auth.Optional(auth.AnyOf(i, nobodyElse(t))), []string{"Bearer the-token-itself"})
		if code != status.Unavailable || len(challenge) > 0 || said != "the credentials cannot be checked now" || time.Since(start) > 5*time.Second {
			t.Errorf("%s: after %v have %v, %q, %q: %s", name, time.Since(start), code, challenge, said, log)
		}
		for _, secret := range []string{"top-secret", "the-token-itself", "b3JkZXJzOnRvcC1zZWNyZXQ="} {
			if strings.Contains(log, secret) {
				t.Errorf("%s: the log has %s: %s", name, secret, log)
			}
		}
		if len(log) > 1000 {
			t.Errorf("%s: the log has %d bytes", name, len(log))
		}
	}
	if elsewhere.Load() {
		t.Error("a redirect was followed")
	}
}

// TestForeignCodeOnOurGoroutinesEndsNoProgram has what a program brings along panic, and end its goroutine.
func TestForeignCodeOnOurGoroutinesEndsNoProgram(t *testing.T) {
	t.Parallel()
	good := answering(`{"active":true,` + ann() + `}`)
	for name, do := range map[string]func(){"panic": func() { panic("at the disco") }, "Goexit": runtime.Goexit} {
		bad := roundTrip(func(*http.Request) (*http.Response, error) {
			do()
			return nil, nil //nolint:nilnil // it is not reached
		})
		i := introspector(t, introspection, by(bad))
		source := auth.SourceFunc(func(context.Context) (auth.Credential, error) {
			do()
			return auth.Credential{}, nil
		})
		j := must(oauth2auth.NewIntrospector[all](introspection, oauth2auth.ClientBearer(source), by(good), oauth2auth.Audience("orders")))(t)
		t.Cleanup(func() { _ = j.Close() })
		p := provider(t, "https://login.example", by(bad), oauth2auth.ProviderOnError(func(error) { do() }))
		for n, err := range []error{
			errorOf(i.Introspect(t.Context(), "t")), errorOf(j.Introspect(t.Context(), "t")), p.Discover(t.Context()), p.Discover(t.Context()),
		} {
			if !errors.Is(err, auth.ErrUnavailable) {
				t.Errorf("%s: %d: want ErrUnavailable, have %v", name, n, err)
			}
		}
	}
	empty := roundTrip(func(*http.Request) (*http.Response, error) { return nil, nil }) //nolint:nilnil // what no RoundTripper may do
	if _, err := introspector(t, introspection, by(empty)).Introspect(t.Context(), "t"); !errors.Is(err, auth.ErrUnavailable) {
		t.Errorf("want ErrUnavailable, have %v", err)
	}
	i := must(oauth2auth.NewIntrospector[panicking](introspection, oauth2auth.ClientBasic("a", "b"), by(good), oauth2auth.Audience("orders")))(t)
	t.Cleanup(func() { _ = i.Close() })
	if _, err := i.Introspect(t.Context(), "t"); !errors.Is(err, auth.ErrUnavailable) {
		t.Errorf("want ErrUnavailable, have %v", err)
	}
}

// panicking are claims that cannot be read.
type panicking struct{}

func (*panicking) UnmarshalJSON([]byte) error { panic("at the disco") }

func errorOf[T any](_ T, err error) error { return err }

func TestOnlyAccessTokensAreTakenByTheirType(t *testing.T) {
	t.Parallel()
	for typ, good := range map[string]bool{
		"": true, "Bearer": true, "bearer": true, "at+jwt": true, "application/at+jwt": true, "AT": true, "at": true,
		"Offline": false, "Refresh": false, "ID": false, "Logout": false, "refresh+jwt": false, "application/AT": false,
	} {
		said := `{"active":true,` + ann(`"typ":"`+typ+`"`) + `}`
		i := introspector(t, introspection, by(answering(said)), oauth2auth.IntrospectorType("AT"))
		if p, err := i.Introspect(t.Context(), "t"); (err == nil) != good || errors.Is(err, auth.ErrUnavailable) {
			t.Errorf("%q: have %v, %v", typ, p, err)
		}
	}
	if i, err := oauth2auth.NewIntrospector[all](introspection, oauth2auth.ClientBasic("a", "b"), oauth2auth.IntrospectorType("")); err == nil {
		t.Errorf("have %v", i)
	}
}

func TestAnAnswerMayBeginWithWhiteSpace(t *testing.T) {
	t.Parallel()
	good := `{"active":true,` + ann() + `}`
	must(introspector(t, introspection, by(answering("\r\n\t "+good+"\n"))).Introspect(t.Context(), "t"))(t)
	for _, said := range []string{"\ufeff" + good, "\u00a0" + good, " ", " [" + good + "]", "\v" + good} {
		if p, err := introspector(t, introspection, by(answering(said))).Introspect(t.Context(), "t"); !errors.Is(err, auth.ErrUnavailable) {
			t.Errorf("%q: have %v, %v", said, p, err)
		}
	}
}
