package redislimit_test

import (
	"context"
	"sync"

	"github.com/redis/go-redis/v9"
)

// counter is a hook of a client, and counts its calls.
type counter struct {
	mu    sync.Mutex
	calls map[string]int
}

// DialHook implements redis.Hook.
func (c *counter) DialHook(next redis.DialHook) redis.DialHook { return next }

// ProcessHook implements redis.Hook.
func (c *counter) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		c.mu.Lock()
		if c.calls == nil {
			c.calls = make(map[string]int)
		}
		c.calls[cmd.Name()]++
		c.mu.Unlock()
		return next(ctx, cmd)
	}
}

// ProcessPipelineHook implements redis.Hook.
func (c *counter) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

func (c *counter) of(command string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.calls[command]
}
