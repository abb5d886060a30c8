//go:build race

package oauth2auth_test

const raceEnabled = true // the race detector allocates
