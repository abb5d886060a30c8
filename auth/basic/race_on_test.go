//go:build race

package basicauth_test

const raceEnabled = true // the race detector allocates
