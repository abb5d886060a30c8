package redislimit_test

import (
	"testing"

	"go.uber.org/goleak"
)

// TestMain looks for leaks, but for the goroutines that go-zero starts when it is imported.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		goleak.IgnoreTopFunction("github.com/zeromicro/go-zero/core/proc.init.1.func1"),
		goleak.IgnoreTopFunction("github.com/zeromicro/go-zero/core/stat.init.1.func1"),
	)
}
