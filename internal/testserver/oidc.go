package testserver

import (
	"context"
	"testing"
)

// OIDC is an OpenID Connect provider: that of the example of github.com/zitadel/oidc, with clients for tests, which
// tools/programs/oidc-provider names. It keeps its address when it is stopped or killed and started again, and has another key then, and no
// tokens and sessions.
type OIDC struct {
	*Process

	// Issuer is its name, and its address.
	Issuer string
	// Redirect is where it sends the browsers of all its clients back to; nobody listens there.
	Redirect string
	// User and Password are those of somebody who can log in, and Subject is who that is then.
	User, Password, Subject string
}

// StartOIDC starts a provider.
func StartOIDC(t testing.TB) *OIDC {
	t.Helper()
	program := Program(t, "oidc-provider")
	return startServers(t, "oidc-provider", func() []*OIDC {
		address := loopback(freePorts(t, 1)[0])
		s := &OIDC{
			Issuer: "http://" + address, Redirect: "http://127.0.0.1:9/callback",
			User: "test-user2", Password: "verysecure", Subject: "id2",
		}
		s.Process = newProcess(t, "oidc-provider", t.TempDir(), []string{program}, s.healthy)
		s.env = []string{"ADDRESS=" + address, "REDIRECT=" + s.Redirect}
		return []*OIDC{s}
	})[0]
}

func (s *OIDC) healthy(ctx context.Context) error {
	_, err := get(ctx, s.Issuer+"/.well-known/openid-configuration")
	return err
}
