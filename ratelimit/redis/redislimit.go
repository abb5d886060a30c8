// Package redislimit limits what is done by many processes together: a ratelimit.Limiter whose counts are in Redis.
//
// A Take is one round trip: a script reckons by the generic cell rate algorithm (ITU-T I.371, annex A), by the clock of Redis, in integers,
// so that nothing drifts. Each key of the limiter is one key of Redis, with a hash tag for clusters, that expires when it says nothing any
// more.
//
// While Redis does not answer, the limiter decides alone, at once, in the way that was chosen when it was made: it fails, so that calls are
// refused, it allows, or it gives this process a share of the limit. Status, OnEvent and Log tell of that.
//
// It takes a client of github.com/redis/go-redis/v9 for a server, Sentinels or a cluster, whose addresses, TLS and credentials are the
// user's to set up. docs/ratelimit-redis.md says how the states are stored, and what happens when Redis is gone.
package redislimit
