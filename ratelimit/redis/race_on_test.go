//go:build race

package redislimit_test

const raceEnabled = true // the race detector allocates
