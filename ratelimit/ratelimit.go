// Package ratelimit limits how often something is done: by everybody together, or by each holder of a key; at a rate, or up to a quota for
// each period.
//
//	limiter, err := ratelimit.New(ratelimit.PerSecond(100), ratelimit.LocalMaxKeys(1_000_000))
//	gate, err := ratelimit.NewGate(limiter, ratelimit.By(ratelimit.KeyPeerNetwork(32, 64)), ratelimit.Policy("per-address"))
//	place := endpoint.New(spec, service.Place, gate.Middleware)
//
// A Limiter knows keys: Local is a token bucket for each, Quota a count for each period of the calendar, and package redislimit shares
// buckets between processes. A Gate takes from one for each call, before the call is made, and tells callers what is left. Erroring and
// Delaying are Gates for what knows only a rate, such as the Limiter of golang.org/x/time/rate.
//
// Limiters know nothing of endpoints, and can be asked by anything else. There are no goroutines here, and nothing has to be closed.
package ratelimit
