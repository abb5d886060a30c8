//go:build !race

package loadshed_test

const raceEnabled = false
