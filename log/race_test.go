//go:build race

package log_test

// raceEnabled skips allocation budgets, which the race detector breaks.
const raceEnabled = true
