package lb_test

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

// TestMain runs the tests, or is an instance for those of another process.
func TestMain(m *testing.M) {
	if transport := os.Getenv(instanceTransport); transport != "" {
		os.Exit(instanceMain(transport))
	}
	goleak.VerifyTestMain(m)
}
