package transporttest_test

import (
	"testing"

	"github.com/ashlar-go/ashlar/transport/transporttest"
)

// harnesses are all ways in which this repository carries calls.
func harnesses() []transporttest.Harness {
	return []transporttest.Harness{
		inprocHarness(), copyHarness(),
		httpHarness(), h2cHarness(), sseHarness(), webSocketHarness(),
	}
}

// Each harness has the process for itself, since thousands of goroutines are all that the race detector allows; its checks run in parallel.
//
//nolint:paralleltest // see above
func TestMatrix(t *testing.T) {
	for _, h := range harnesses() {
		t.Run(h.Name, func(t *testing.T) { transporttest.Run(t, h) })
	}
}
