//go:build race

package authz_test

const raceEnabled = true // the race detector allocates
