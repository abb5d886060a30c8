package oauth2auth_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ashlar-go/ashlar/auth"
	oauth2auth "github.com/ashlar-go/ashlar/auth/oauth2"
)

// refused fails the test unless the error is of that constructor and names the option.
func refused(t *testing.T, constructor, name string, err error) {
	t.Helper()
	if err == nil || !strings.HasPrefix(err.Error(), "oauth2auth: "+constructor+": ") || !strings.Contains(err.Error(), name) {
		t.Errorf("%s: %s: have %v", constructor, name, err)
	}
}

func TestBadOptionsOfAllAreErrorsThatNameThem(t *testing.T) {
	t.Parallel()
	p := provider(t, "https://login.example")
	basic := oauth2auth.ClientBasic("a", "b")
	for name, opt := range map[string]oauth2auth.HTTPOption{
		"HTTPClient(nil)": oauth2auth.HTTPClient(nil), "Timeout(0s)": oauth2auth.Timeout(0), "Timeout(1h0m0s)": oauth2auth.Timeout(time.Hour),
		"the list of options": nil,
	} {
		_, err := oauth2auth.NewClientCredentials(tokens, "a", "b", opt)
		refused(t, "NewClientCredentials", name, err)
		_, err = oauth2auth.NewRefresh(tokens, "a", "b", "c", opt)
		refused(t, "NewRefresh", name, err)
		_, err = oauth2auth.NewIntrospector[all](introspection, basic, oauth2auth.AnyAudience(), opt)
		refused(t, "NewIntrospector", name, err)
		_, err = oauth2auth.NewProvider("https://login.example", opt)
		refused(t, "NewProvider", name, err)
	}
	for name, opt := range map[string]oauth2auth.CheckOption{
		"Audience([])": oauth2auth.Audience(), "Audience([\"\"])": oauth2auth.Audience(""), "Scopes([])": oauth2auth.Scopes(),
		"Scopes([\"a b\"])": oauth2auth.Scopes("a b"), "Scopes([\"\"])": oauth2auth.Scopes(""), "Require([])": oauth2auth.Require(),
		"Subject([\"\"])": oauth2auth.Subject(""), "Roles([])": oauth2auth.Roles(), "Leeway(-1ns)": oauth2auth.Leeway(-1),
		"Leeway(1h0m0s)": oauth2auth.Leeway(time.Hour), "MaxToken(0)": oauth2auth.MaxToken(0), "MaxToken(99999)": oauth2auth.MaxToken(99999),
		"Realm(\"\")": oauth2auth.Realm(""), `Realm("a\"")`: oauth2auth.Realm(`a"`), `Realm("a\n")`: oauth2auth.Realm("a\n"), "the list of options": nil,
	} {
		_, err := oauth2auth.NewIntrospector[all](introspection, basic, opt)
		refused(t, "NewIntrospector", name, err)
		_, err = oauth2auth.NewVerifier[all](p, opt)
		refused(t, "NewVerifier", name, err)
		_, err = oauth2auth.NewLogin[all](p, "a", "b", "https://shop.example", opt)
		refused(t, "NewLogin", name, err)
	}
}

func TestBadOptionsOfOneAreErrorsThatNameThem(t *testing.T) {
	t.Parallel()
	p := provider(t, "https://login.example")
	for name, opt := range map[string]oauth2auth.SourceOption{
		"SourceScopes([])": oauth2auth.SourceScopes(), "SourceScopes([\"a b\"])": oauth2auth.SourceScopes("a b"),
		"SourceParam(\"\")": oauth2auth.SourceParam("", "a"), "SourceParam(\"x\")": oauth2auth.SourceParam("x"),
		"SourceParam(\"grant_type\")": oauth2auth.SourceParam("grant_type", "password"), "SourceParam(\"scope\")": oauth2auth.SourceParam("scope", "a"),
		"SourceParam(\"client_secret\")": oauth2auth.SourceParam("client_secret", "a"), "SourceParam(\"client_id\")": oauth2auth.SourceParam("client_id", "a"),
		"SourceParam(\"refresh_token\")": oauth2auth.SourceParam("refresh_token", "a"), "SourceOnRefreshToken(nil)": oauth2auth.SourceOnRefreshToken(nil),
		"the list of options": nil,
	} {
		_, err := oauth2auth.NewClientCredentials(tokens, "a", "b", opt)
		refused(t, "NewClientCredentials", name, err)
		_, err = oauth2auth.NewRefresh(tokens, "a", "b", "c", opt)
		refused(t, "NewRefresh", name, err)
	}
	for name, opt := range map[string]oauth2auth.IntrospectorOption{
		"CacheTTL(-1ns)": oauth2auth.CacheTTL(-1), "CacheTTL(2h0m0s)": oauth2auth.CacheTTL(2 * time.Hour), "RefusedTTL(-1ns)": oauth2auth.RefusedTTL(-1),
		"RefusedTTL(1h0m0s)": oauth2auth.RefusedTTL(time.Hour), "CacheSize(0)": oauth2auth.CacheSize(0), "Concurrency(0)": oauth2auth.Concurrency(0),
		"Issuer([])": oauth2auth.Issuer(), "Issuer([\"\"])": oauth2auth.Issuer(""), "the list of options": nil,
		"Audience and AnyAudience contradict": oauth2auth.AnyAudience(),
	} {
		_, err := oauth2auth.NewIntrospector[all](introspection, oauth2auth.ClientBasic("a", "b"), oauth2auth.Audience("orders"), opt)
		refused(t, "NewIntrospector", name, err)
	}
	for name, opts := range map[string][]oauth2auth.ProviderOption{
		"ProviderRefresh(0s)": {oauth2auth.ProviderRefresh(0)}, "ProviderOutage(0s)": {oauth2auth.ProviderOutage(0)},
		"ProviderPause(0s)": {oauth2auth.ProviderPause(0)}, "ProviderOnError": {oauth2auth.ProviderOnError(nil)}, "the list of options": {nil},
		"ProviderOutage(1m0s) is less":  {oauth2auth.ProviderOutage(time.Minute)},
		"ProviderPause(1h0m0s) is more": {oauth2auth.ProviderPause(time.Hour)},
	} {
		_, err := oauth2auth.NewProvider("https://login.example", opts...)
		refused(t, "NewProvider", name, err)
	}
	for name, opts := range map[string][]oauth2auth.VerifierOption{
		"VerifierType([])": {oauth2auth.VerifierType()}, "VerifierType([\"\"])": {oauth2auth.VerifierType("")}, "the list of options": {nil},
		"Audience is missing": {}, "Audience and AnyAudience contradict": {oauth2auth.Audience("a"), oauth2auth.AnyAudience()},
		"Roles is given twice": {oauth2auth.Audience("a"), oauth2auth.Roles("a"), oauth2auth.Roles("b")},
	} {
		_, err := oauth2auth.NewVerifier[all](p, opts...)
		refused(t, "NewVerifier", name, err)
	}
	for name, opts := range map[string][]oauth2auth.LoginOption{
		"LoginScopes([])": {oauth2auth.LoginScopes()}, "LoginScopes([\"a b\"])": {oauth2auth.LoginScopes("a b")}, "the list of options": {nil},
		"Audience and AnyAudience are not": {oauth2auth.Audience("a")}, "AnyAudience are not for": {oauth2auth.AnyAudience()},
	} {
		_, err := oauth2auth.NewLogin[all](p, "a", "b", "https://shop.example", opts...)
		refused(t, "NewLogin", name, err)
	}
	_, err := oauth2auth.NewClientCredentials(tokens, "a", "b", oauth2auth.SourceParam("x", "a"), oauth2auth.SourceParam("x", "b"))
	refused(t, "NewClientCredentials", `SourceParam("x")`, err)
	_, err = oauth2auth.NewClientCredentials(tokens, "a", "b", oauth2auth.SourceOnRefreshToken(func(string) {}))
	refused(t, "NewClientCredentials", "SourceOnRefreshToken", err)
}

func TestWhatIsRequired(t *testing.T) {
	t.Parallel()
	p := provider(t, "https://login.example")
	basic, anybody := oauth2auth.ClientBasic("a", "b"), oauth2auth.AnyAudience()
	for name, address := range map[string]string{
		"no URL": "https://a b/%zz", "https and a host": "login.example/token", "and a host": "https://", "with https": "ftp://login.example/",
		"has a user": "https://ann:top-secret@login.example/", "has a fragment": "https://login.example/#a", "want https": "http://login.example/token",
	} {
		_, err := oauth2auth.NewClientCredentials(address, "a", "b")
		refused(t, "NewClientCredentials", name, err)
		_, err = oauth2auth.NewRefresh(address, "a", "b", "c")
		refused(t, "NewRefresh", name, err)
		_, err = oauth2auth.NewIntrospector[all](address, basic, anybody)
		refused(t, "NewIntrospector", name, err)
		_, err = oauth2auth.NewProvider(address)
		refused(t, "NewProvider", name, err)
		_, err = oauth2auth.NewLogin[all](p, "a", "b", address)
		refused(t, "NewLogin", name, err)
		if strings.Contains(err.Error(), "top-secret") {
			t.Error(err)
		}
	}
	_, err := oauth2auth.NewProvider("https://login.example?a=b")
	refused(t, "NewProvider", "query", err)
	for _, address := range []string{"http://localhost:8080/a", "http://127.0.0.2/a", "http://[::1]:1/a"} {
		must(oauth2auth.NewClientCredentials(address, "a", "b"))(t)
		provider(t, address)
	}
	must(oauth2auth.NewClientCredentials("http://login.example/token", "a", "b", oauth2auth.Plaintext()))(t)
	provider(t, "http://login.example", oauth2auth.Plaintext())

	_, err = oauth2auth.NewClientCredentials(tokens, "", "b")
	refused(t, "NewClientCredentials", "id of the client", err)
	_, err = oauth2auth.NewClientCredentials(tokens, "a", "")
	refused(t, "NewClientCredentials", "secret of the client", err)
	_, err = oauth2auth.NewRefresh(tokens, "a", "b", "")
	refused(t, "NewRefresh", "refresh token", err)
	_, err = oauth2auth.NewIntrospector[all](introspection, basic)
	refused(t, "NewIntrospector", "Audience is missing", err)
	for _, as := range []oauth2auth.ClientAuth{
		{}, oauth2auth.ClientBasic("a", ""), oauth2auth.ClientBasic("", "b"), oauth2auth.ClientBearer(nil), oauth2auth.ClientBearer(auth.SourceFunc(nil)),
		oauth2auth.ClientBearer((*oauth2auth.TokenSource)(nil)),
	} {
		_, err = oauth2auth.NewIntrospector[all](introspection, as, anybody)
		refused(t, "NewIntrospector", "ClientAuth", err)
	}
	_, err = oauth2auth.NewLogin[all](p, "", "b", "https://shop.example")
	refused(t, "NewLogin", "id of the client", err)
	for _, none := range []*oauth2auth.Provider{nil, {}} {
		_, err = oauth2auth.NewVerifier[all](none, anybody)
		refused(t, "NewVerifier", "Provider", err)
		_, err = oauth2auth.NewLogin[all](none, "a", "b", "https://shop.example")
		refused(t, "NewLogin", "Provider", err)
	}
}

func TestZeroValuesRefuse(t *testing.T) {
	t.Parallel()
	var errs []error
	for _, i := range []*oauth2auth.Introspector[all]{nil, {}} {
		errs = append(errs, errorOf(i.Authenticate(t.Context(), call("Bearer a"))), errorOf(i.Introspect(t.Context(), "a")))
		if err := i.Close(); err != nil {
			t.Error(err)
		}
	}
	for _, v := range []*oauth2auth.Verifier[all]{nil, {}} {
		errs = append(errs, errorOf(v.Authenticate(t.Context(), call("Bearer a"))), errorOf(v.Verify(t.Context(), "a")))
	}
	for _, p := range []*oauth2auth.Provider{nil, {}} {
		errs = append(errs, p.Discover(t.Context()))
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}
	for _, l := range []*oauth2auth.Login[all]{nil, {}} {
		errs = append(errs, errorOf(l.Begin(t.Context())), errorOf(l.Finish(t.Context(), nil, nil)))
	}
	for _, s := range []*oauth2auth.TokenSource{nil, {}} {
		errs = append(errs, errorOf(s.Credential(t.Context())))
		if have := fmt.Sprint(s); have != "no TokenSource" && have != "<nil>" {
			t.Error(have)
		}
	}
	for n, err := range errs {
		if err == nil || !strings.HasPrefix(err.Error(), "oauth2auth: the ") {
			t.Errorf("%d: have %v", n, err)
		}
	}
	if (&oauth2auth.EndpointError{}).Error() == "" || fmt.Sprint(oauth2auth.Attempt{}, oauth2auth.Session{}) == "" {
		t.Error("want a text")
	}
}
