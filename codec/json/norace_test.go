//go:build !race

package json_test

const race = false
