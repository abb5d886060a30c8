package redislimit

import (
	"context"
	"crypto/sha1" //nolint:gosec // by which Redis names scripts
	_ "embed"
	"encoding/hex"
	"errors"
	"io"
	"syscall"

	"github.com/redis/go-redis/v9"

	"github.com/ashlar-go/ashlar/ratelimit"
)

//go:embed gcra.lua
var source string

// script is the one that decides, by one limit.
type script struct {
	client redis.UniversalClient
	sha    string
	exact  exact
	one    [2]any // what one event takes up, since that is what most calls are for
	limit  [3]any // the parts of a microsecond, and what the capacity takes up
}

func newScript(client redis.UniversalClient, limit ratelimit.Limit) (*script, error) {
	e, err := newExact(limit)
	if err != nil {
		return nil, err
	}
	sum := sha1.Sum([]byte(source)) //nolint:gosec // by which Redis names scripts
	one := e.span(1)
	return &script{
		client: client, sha: hex.EncodeToString(sum[:]), exact: e,
		one: [2]any{one.micros, one.parts}, limit: [3]any{e.parts, e.full.micros, e.full.parts},
	}, nil
}

// take takes n events of the key of Redis. It takes a second round trip where Redis does not know the script yet, or not any more.
func (s *script) take(ctx context.Context, key string, n int) (ratelimit.Decision, error) {
	answer, err := s.call(ctx, "evalsha", s.sha, key, n)
	if err != nil && redis.HasErrorPrefix(err, "NOSCRIPT") {
		answer, err = s.call(ctx, "eval", source, key, n)
	}
	if err != nil {
		if redis.HasErrorPrefix(err, "FOREIGN") {
			err = ErrForeign
		}
		return ratelimit.Decision{}, err
	}
	return s.exact.decision(n, answer)
}

// call runs the script, and again where the connection broke off, which says nothing about others. Then the events may be taken twice.
func (s *script) call(ctx context.Context, command, what, key string, n int) ([]int64, error) {
	answer, err := s.once(ctx, command, what, key, n)
	if err != nil && brokeOff(err) {
		answer, err = s.once(ctx, command, what, key, n)
	}
	return answer, err
}

func (s *script) once(ctx context.Context, command, what, key string, n int) ([]int64, error) {
	micros, parts := s.one[0], s.one[1]
	if n != 1 {
		cost := s.exact.span(n)
		micros, parts = cost.micros, cost.parts
	}
	c := onceCmd{redis.NewIntSliceCmd(ctx, command, what, 1, key, micros, parts, s.limit[0], s.limit[1], s.limit[2])}
	err := s.client.Process(ctx, c)
	return c.Val(), err
}

// onceCmd is a command that go-redis does not repeat by itself, up to the end of the time, which then hides the reason.
type onceCmd struct{ *redis.IntSliceCmd }

// NoRetry implements redis.Cmder.
func (onceCmd) NoRetry() bool { return true }

func brokeOff(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}
