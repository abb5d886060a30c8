//go:build race

package lb_test

const raceEnabled = true // the race detector allocates
