package lb

import "context"

type keyOf struct{}

// WithKey returns a context whose calls ConsistentHash sends to the instance that has the key, such as a user's or a tenant's name.
func WithKey(ctx context.Context, key string) context.Context {
	return context.WithValue(ctx, keyOf{}, hash(key))
}

// keyHash returns the hash of the key of ctx, if it has one.
func keyHash(ctx context.Context) (hash uint64, ok bool) {
	hash, ok = ctx.Value(keyOf{}).(uint64)
	return hash, ok
}
