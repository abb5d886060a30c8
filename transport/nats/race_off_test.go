//go:build !race

package natstransport_test

const raceEnabled = false
