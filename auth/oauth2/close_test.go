package oauth2auth_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ashlar-go/ashlar/auth"
	oauth2auth "github.com/ashlar-go/ashlar/auth/oauth2"
)

func TestAFunctionThatIsToldAnErrorCanClose(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var p *oauth2auth.Provider
		start := time.Now()
		closed := make(chan error, 1)
		down := roundTrip(func(*http.Request) (*http.Response, error) { return nil, errors.New("connection refused") })
		p = provider(t, "https://login.example", by(down), oauth2auth.ProviderOnError(func(error) { closed <- p.Close() }))
		if err := p.Discover(t.Context()); err == nil {
			t.Error("want an error")
		}
		if err := <-closed; err == nil || time.Since(start) != oauth2auth.DefaultTimeout {
			t.Errorf("after %v have %v", time.Since(start), err)
		}
	})
}

// deaf is a source and a server that do not heed their context.
type deaf chan struct{}

func (d deaf) Credential(context.Context) (auth.Credential, error) {
	<-d
	return auth.Credential{}, errors.New("too late")
}

func (d deaf) RoundTrip(*http.Request) (*http.Response, error) {
	<-d
	return nil, errors.New("too late")
}

func TestCloseDoesNotWaitForWhoDoesNotListen(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := make(deaf)
		defer close(d)
		i := must(oauth2auth.NewIntrospector[all](introspection, oauth2auth.ClientBearer(d), oauth2auth.AnyAudience()))(t)
		p := must(oauth2auth.NewProvider("https://login.example", by(d)))(t)
		go func() { _, _ = i.Introspect(t.Context(), "t") }()
		go func() { _ = p.Discover(t.Context()) }()
		synctest.Wait()
		for name, end := range map[string]func() error{"Introspector": i.Close, "Provider": p.Close} {
			start := time.Now()
			if err := end(); err == nil || time.Since(start) != oauth2auth.DefaultTimeout {
				t.Errorf("%s: after %v have %v", name, time.Since(start), err)
			}
		}
	})
}
