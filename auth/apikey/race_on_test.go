//go:build race

package apikeyauth_test

const raceEnabled = true // the race detector allocates
