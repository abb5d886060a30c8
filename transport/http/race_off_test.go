//go:build !race

package httptransport_test

const raceEnabled = false
