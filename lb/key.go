package lb

import "context"

type keyOf struct{}

// WithKey returns a context whose calls ConsistentHash sends to the instance that has the key, such as a user's or a tenant's name.
func WithKey(ctx context.Context, key string) context.Context {
	return context.WithValue(ctx, keyOf{}, hash(key))
}

// keyless says whether a policy is one of those here that look at no key.
func keyless(policy Policy) bool {
	switch policy.(type) {
	case random, roundRobin, weightedRoundRobin, leastRequest, peakEWMA:
		return true
	}
	return false
}

// keyHash returns the hash of the key of ctx, if it has one.
func keyHash(ctx context.Context) (hash uint64, ok bool) {
	hash, ok = ctx.Value(keyOf{}).(uint64)
	return hash, ok
}
