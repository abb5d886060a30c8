package mdns_test

import (
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"
)

// TestMain runs the tests in a network of their own, where that can be made: nothing of them reaches other machines, and other tests that
// run at the same time are not heard. In a process that tests start it is that.
func TestMain(m *testing.M) {
	if id := os.Getenv(processID); id != "" {
		if err := process(id); err != nil {
			fmt.Fprintf(os.Stderr, "process %s: %v\n", id, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	if code, ok := isolated(); ok {
		os.Exit(code)
	}
	goleak.VerifyTestMain(m)
}
