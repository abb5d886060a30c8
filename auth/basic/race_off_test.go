//go:build !race

package basicauth_test

const raceEnabled = false
