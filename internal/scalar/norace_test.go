//go:build !race

package scalar_test

const raceEnabled = false
