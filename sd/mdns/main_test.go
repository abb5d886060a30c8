package mdns_test

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

// TestMain runs the tests in a network of their own, where that can be made: nothing of them reaches other machines, and other tests that run
// at the same time are not heard.
func TestMain(m *testing.M) {
	if code, ok := isolated(); ok {
		os.Exit(code)
	}
	goleak.VerifyTestMain(m)
}
