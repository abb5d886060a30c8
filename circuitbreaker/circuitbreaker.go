// Package circuitbreaker keeps calls back from what fails, so that callers do not wait for it and it can recover.
//
// Breakers makes a breaker for each endpoint that its Middleware decorates, on a client or a server, or one for each key, such as a tenant,
// or for each instance of a pool. A Policy makes the breakers themselves: Adaptive those that refuse as large a share of the calls as the
// other side needs, and the package in circuitbreaker/gobreaker those of sony/gobreaker, which open and close.
package circuitbreaker
