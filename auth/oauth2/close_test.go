package oauth2auth_test

import (
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

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
