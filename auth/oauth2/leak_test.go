package oauth2auth_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/ashlar-go/ashlar/auth"
	oauth2auth "github.com/ashlar-go/ashlar/auth/oauth2"
)

func TestNoSecretIsPrintedOrLogged(t *testing.T) {
	t.Parallel()
	b := begin(t)
	b.gives(answerOf(b.id(t)))
	session := must(b.login.Finish(t.Context(), b.attempt, b.back()))(t)
	session.AccessToken, session.RefreshToken = "access-token", "refresh-token"
	p := provider(t, b.URL)
	client := oauth2auth.ClientBasic("orders", "top-secret")
	secrets := []string{
		"top-secret", "access-token", "refresh-token", session.IDToken, b.attempt.Verifier, b.attempt.Nonce, b.attempt.State,
	}
	for name, value := range map[string]any{
		"Login": b.login, "Login by value": struct{ L *oauth2auth.Login[all] }{b.login}, "no Login": (*oauth2auth.Login[all])(nil),
		"Attempt": b.attempt, "Attempt by value": *b.attempt, "Session": session, "Session by value": *session,
		"ClientAuth": client, "pointer to ClientAuth": &client, "bearer": oauth2auth.ClientBearer(auth.Bearer("access-token")),
		"credentials":  must(oauth2auth.NewClientCredentials(tokens, "orders", "top-secret"))(t),
		"refresh":      must(oauth2auth.NewRefresh(tokens, "orders", "top-secret", "refresh-token"))(t),
		"Introspector": introspector(t, introspection), "Provider": p, "Verifier": must(oauth2auth.NewVerifier[all](p, oauth2auth.Audience("x")))(t),
	} {
		var text, inJSON bytes.Buffer
		slog.New(slog.NewTextHandler(&text, nil)).Info("logged", "value", value)
		slog.New(slog.NewJSONHandler(&inJSON, nil)).Info("logged", "value", value)
		for how, have := range map[string]string{
			"%v": fmt.Sprintf("%v", value), "%+v": fmt.Sprintf("%+v", value), "%#v": fmt.Sprintf("%#v", value),
			"text": text.String(), "JSON": inJSON.String(),
		} {
			for _, secret := range secrets {
				if strings.Contains(have, secret) {
					t.Errorf("%s by %s: have %s", name, how, have)
				}
			}
		}
	}
}

func TestAnAttemptCanBeKeptAsJSON(t *testing.T) {
	t.Parallel()
	b := begin(t)
	var kept oauth2auth.Attempt
	if err := json.Unmarshal(must(json.Marshal(b.attempt))(t), &kept); err != nil || kept != *b.attempt {
		t.Errorf("have %v", err)
	}
}

func TestWhatIsPanickedWithIsNotInTheError(t *testing.T) {
	t.Parallel()
	panics := roundTrip(func(*http.Request) (*http.Response, error) { panic("top-secret") })
	_, err := introspector(t, introspection, by(panics)).Introspect(t.Context(), "t")
	for name, err := range map[string]error{
		"Introspector": err, "Provider": provider(t, "https://login.example", by(panics)).Discover(t.Context()),
	} {
		if !errors.Is(err, auth.ErrUnavailable) || strings.Contains(err.Error(), "top-secret") || !strings.Contains(err.Error(), "panicked with a string") {
			t.Errorf("%s: have %v", name, err)
		}
	}
}
