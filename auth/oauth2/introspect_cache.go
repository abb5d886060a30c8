package oauth2auth

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"hash"
	"time"

	"github.com/ashlar-go/ashlar/auth"
	"github.com/ashlar-go/ashlar/internal/keyed"
)

// digest is the hash that a token is known by, with a secret.
type digest [sha256.Size]byte

// verdict is what was said of a token: whose it is, or why it is not taken.
type verdict struct {
	principal *auth.Principal
	err       error
}

// remembered is a verdict with whom and until when it is for.
type remembered struct {
	verdict

	id    digest
	until int64 // in nanoseconds since 1970
}

// flight is a question that goes on, with those who wait for its answer.
type flight struct {
	done chan struct{} // closed when the rest is set
	verdict
}

// waiting is how many questions may wait for their turn, in times of those that are asked.
const waiting = 16

// hasher makes digests, in memory that is used again.
type hasher struct {
	hash.Hash

	token []byte
	sum   digest
}

func (i *introspection) digest(token string) digest {
	h, _ := i.hashes.Get().(*hasher)
	h.Reset()
	h.token = append(h.token[:0], token...)
	_, _ = h.Write(h.token)
	clear(h.token)
	h.Sum(h.sum[:0])
	id := h.sum
	i.hashes.Put(h)
	return id
}

// recall returns what is remembered of a token. The map knows tokens by a shorter hash: the digest says whether it is this one.
func (i *introspection) recall(token string, id *digest, now int64) (verdict, bool) {
	for _, m := range []*keyed.Map[remembered]{i.good, i.bad} {
		if r, ok := m.Lookup(token); ok && now < r.until && subtle.ConstantTimeCompare(r.id[:], id[:]) == 1 {
			return r.verdict, true
		}
	}
	return verdict{}, false
}

func (i *introspection) remember(token string, id digest, v verdict, until, now time.Time) {
	if !until.After(now) {
		return
	}
	m := i.good
	if v.err != nil {
		m = i.bad
	}
	e := m.Acquire(token, now.UnixNano())
	*e.Value = remembered{verdict: v, id: id, until: until.UnixNano()}
	e.Release()
}

// wait waits for the one question about a token, which it asks where nobody does.
func (i *introspection) wait(ctx context.Context, token string, id digest) (*auth.Principal, error) {
	f, err := i.fly(token, id)
	if err != nil {
		return nil, unavailable("oauth2auth", err)
	}
	select {
	case <-f.done:
		return f.principal, f.err
	case <-ctx.Done():
		return nil, fmt.Errorf("oauth2auth: waiting for the introspection: %w: %w", auth.ErrUnavailable, ctx.Err())
	}
}

func (i *introspection) fly(token string, id digest) (*flight, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if f := i.flights[id]; f != nil {
		return f, nil
	}
	switch {
	case i.closed:
		return nil, errClosed
	case len(i.flights) >= waiting*i.config.concurrency:
		return nil, errors.New("too many questions wait for the introspection endpoint")
	}
	f := &flight{done: make(chan struct{})}
	if v, ok := i.recall(token, &id, time.Now().UnixNano()); ok { // the one before has just been answered
		f.verdict = v
		close(f.done)
		return f, nil
	}
	i.flights[id] = f
	i.done.Go(func() { i.run(f, token, id) })
	return f, nil
}

// run asks one question.
func (i *introspection) run(f *flight, token string, id digest) {
	ctx, cancel := context.WithTimeout(i.ctx, i.config.timeout)
	defer cancel()
	f.err = unavailable("oauth2auth: introspection", errors.New("it ended its goroutine"))
	defer func() {
		if value := recover(); value != nil {
			f.err = unavailable("oauth2auth: introspection", fmt.Errorf("it panicked with a %T", value))
		}
		i.mu.Lock()
		delete(i.flights, id)
		i.mu.Unlock()
		close(f.done)
	}()
	select {
	case i.slots <- struct{}{}:
		defer func() { <-i.slots }()
	case <-ctx.Done():
		f.err = unavailable("oauth2auth: waiting for a turn to ask about the token", ctx.Err())
		return
	}
	sent := time.Now()
	text, err := i.ask(ctx, token)
	if err != nil {
		f.err = unavailable("oauth2auth: introspection", err)
		return
	}
	now := time.Now()
	p, err := i.read(text, now)
	switch {
	case errors.Is(err, auth.ErrUnavailable):
		f.err = err
		return
	case err != nil:
		f.verdict = verdict{err: fmt.Errorf("oauth2auth: %w", err)}
		i.remember(token, id, f.verdict, sent.Add(min(i.config.badTTL, i.config.ttl)), now)
		return
	}
	f.verdict = verdict{principal: p}
	until := sent.Add(i.config.ttl)
	if exp := p.Expires.Add(-i.config.leeway); !p.Expires.IsZero() && exp.Before(until) {
		until = exp // the leeway is for what the server has just said: only it knows whether the token has ended
	}
	i.remember(token, id, f.verdict, until, now)
}
