//go:build race

package natstransport_test

const raceEnabled = true // the race detector allocates
