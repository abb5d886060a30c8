//go:build race

package transport_test

const raceEnabled = true // the race detector allocates
