//go:build race

package circuitbreaker_test

const raceEnabled = true // the race detector allocates, and simulations on one goroutine have nothing for it
