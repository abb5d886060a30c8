package oauth2auth

import (
	"context"
	"errors"

	"github.com/ashlar-go/ashlar/auth"
)

// renewal is a question with a refresh token that goes on, with those who wait for its answer.
type renewal struct {
	done       chan struct{} // closed when the rest is set
	credential auth.Credential
	err        error
	panicked   any
}

// renewed waits for the one question with the refresh token, which it asks where nobody does. No caller can end that: the server may have
// put another refresh token in the place of this one by then, and it is in the answer only.
func (s *TokenSource) renewed(ctx context.Context) (auth.Credential, error) {
	if err := ctx.Err(); err != nil {
		return auth.Credential{}, err
	}
	s.mu.Lock()
	r := s.renewing
	if r == nil {
		r = &renewal{done: make(chan struct{}), err: errors.New("it ended its goroutine")}
		s.renewing = r
		go s.renew(context.WithoutCancel(ctx), r) // for Timeout at most
	}
	s.mu.Unlock()
	select {
	case <-r.done:
	case <-ctx.Done():
		return auth.Credential{}, ctx.Err()
	}
	if r.panicked != nil {
		panic(r.panicked) // of a function of SourceOnRefreshToken, on the goroutine of who called
	}
	return r.credential, r.err
}

// renew asks one question.
func (s *TokenSource) renew(ctx context.Context, r *renewal) {
	ctx, cancel := context.WithTimeout(ctx, s.config.timeout)
	defer cancel()
	defer func() {
		r.panicked = recover()
		s.mu.Lock()
		s.renewing = nil
		s.mu.Unlock()
		close(r.done)
	}()
	r.credential, r.err = s.ask(ctx)
}
