//go:build race

package loadshed_test

const raceEnabled = true // the race detector allocates
