package log

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ashlar-go/ashlar/status"
)

// Option changes what Middleware writes. Options append, and do not replace what earlier ones said, except where two speak
// of the same thing.
type Option func(*config) error

type config struct {
	levels   [numCodes]Level
	slow     time.Duration
	every    uint64
	rate     int
	fields   []func(context.Context) []any
	traceID  func(context.Context) string
	messages bool
}

// CodeLevel sets the level of the calls that end with one of the codes: CodeLevel(LevelDebug, status.OK) is for
// where successes are too many to be read. Each code must be one of package status.
func CodeLevel(level Level, codes ...status.Code) Option {
	return func(c *config) error {
		for _, code := range codes {
			if !code.Valid() {
				return fmt.Errorf("CodeLevel of %v, which is no code", code)
			}
			c.levels[code] = level
		}
		return nil
	}
}

// Slow marks a unary call that takes the threshold or longer with slow=true, and gives it at least the level warn. No such call
// is sampled away. Streams are never slow. The threshold must be positive.
func Slow(threshold time.Duration) Option {
	return func(c *config) error {
		if threshold <= 0 {
			return fmt.Errorf("Slow with a threshold of %v, want more than 0", threshold)
		}
		c.slow = threshold
		return nil
	}
}

// SampleEvery writes one in n of the successes of each endpoint, the first included. What ends with an error, and what is slow, is
// always written. The next line that is written says under "dropped" how many were not.
//
// N must be positive. With SamplePerSecond too, a line is written when both allow it.
func SampleEvery(n int) Option {
	return func(c *config) error {
		if n <= 0 {
			return fmt.Errorf("SampleEvery of %d, want more than 0", n)
		}
		c.every = uint64(n)
		return nil
	}
}

// SamplePerSecond writes at most n of the successes of each endpoint in a second, the first ones; otherwise it is as SampleEvery.
func SamplePerSecond(n int) Option {
	return func(c *config) error {
		if n <= 0 {
			return fmt.Errorf("SamplePerSecond of %d, want more than 0", n)
		}
		c.rate = n
		return nil
	}
}

// Fields adds the keys and values that f returns for the context of the call. It is called for lines that are written, and then
// only once, when the call has ended. Should it panic, the line says so under "fields", and the call is not harmed.
func Fields(f func(ctx context.Context) []any) Option {
	return func(c *config) error {
		if f == nil {
			return errors.New("Fields of a nil function")
		}
		c.fields = append(c.fields, f)
		return nil
	}
}

// TraceID finds the trace that a call belongs to, "" for none, instead of the header field traceparent (W3C Trace Context)
// of the request: the one that a client sent, else the one of the call being served. It is called for lines that are written;
// should it panic, the line says so.
func TraceID(f func(ctx context.Context) string) Option {
	return func(c *config) error {
		if f == nil {
			return errors.New("TraceID of a nil function")
		}
		c.traceID = f
		return nil
	}
}

// CountMessages counts the messages of a stream: messages_in are those from the client to the server, and messages_out
// those from the server to the client, on both sides. It costs an allocation for a message that is no pointer.
func CountMessages() Option {
	return func(c *config) error {
		c.messages = true
		return nil
	}
}

const numCodes = int(status.Unauthenticated) + 1

// codeLevels is the table in Middleware's comment.
func codeLevels() [numCodes]Level {
	var levels [numCodes]Level // info
	for _, code := range []status.Code{
		status.Unauthenticated, status.PermissionDenied, status.ResourceExhausted, status.Aborted, status.Unimplemented,
	} {
		levels[code] = LevelWarn
	}
	for _, code := range []status.Code{
		status.Unknown, status.DeadlineExceeded, status.Internal, status.Unavailable, status.DataLoss,
	} {
		levels[code] = LevelError
	}
	return levels
}
