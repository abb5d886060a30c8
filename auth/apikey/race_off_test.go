//go:build !race

package apikeyauth_test

const raceEnabled = false
