package lb

import "context"

type keyContext struct{}

// WithKey sets the key of the calls made with the context, by which ConsistentHash chooses.
func WithKey(ctx context.Context, key string) context.Context {
	return context.WithValue(ctx, keyContext{}, key)
}
