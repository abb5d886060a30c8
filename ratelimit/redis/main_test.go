package redislimit_test

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

// TestMain runs the tests, or is a worker for those of another process.
func TestMain(m *testing.M) {
	if os.Getenv(workerTask) != "" {
		os.Exit(workerMain())
	}
	goleak.VerifyTestMain(m)
}
