//go:build race

package deadline_test

const raceEnabled = true // the race detector allocates
