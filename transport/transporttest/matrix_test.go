package transporttest_test

import (
	"testing"

	"github.com/ashlar-go/ashlar/internal/testserver"
	"github.com/ashlar-go/ashlar/transport/transporttest"
)

// harnesses are all ways in which this repository carries calls. Those over NATS go through the nats-server at that URL.
func harnesses(nats string) []transporttest.Harness {
	return []transporttest.Harness{
		inprocHarness(), copyHarness(),
		httpHarness(), h2cHarness(), sseHarness(), webSocketHarness(),
		grpcHarness(), natsHarness(nats),
	}
}

// Each harness has the process for itself, since thousands of goroutines are all that the race detector allows; its checks run in parallel.
//
//nolint:paralleltest // see above
func TestMatrix(t *testing.T) {
	for _, h := range harnesses(testserver.StartNATS(t).URL) {
		t.Run(h.Name, func(t *testing.T) { transporttest.Run(t, h) })
	}
}
