//go:build race

package grpctransport_test

const raceEnabled = true
