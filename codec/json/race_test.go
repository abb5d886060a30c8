//go:build race

package json_test

// race says that allocations cannot be counted, since the detector adds some and empties pools.
const race = true
