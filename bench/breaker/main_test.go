package breaker_test

import (
	"testing"

	"go.uber.org/goleak"
)

// What go-zero starts when it is linked, and never ends, is not for this package to stop.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m, goleak.IgnoreCurrent()) }
