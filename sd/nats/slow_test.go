package natsdiscovery_test

import (
	"testing"
	"time"

	"github.com/ashlar-go/ashlar/internal/testserver"
	"github.com/ashlar-go/ashlar/sd"
	"github.com/ashlar-go/ashlar/sd/internal/watchtest"
	"github.com/ashlar-go/ashlar/sd/nats"
)

// It takes longer to reach the server than answers are waited for, as it is over a satellite.
func TestAServerThatIsFarAwayIsWaitedFor(t *testing.T) {
	t.Parallel()
	server := testserver.StartNATS(t)
	nc := connect(t, server.URL)
	register(t, nc, sd.Instance{Address: "10.0.0.1:80"})
	w := watchtest.Start(t, newInstancer(t, nc, often(), natsdiscovery.InstancerWindow(time.Nanosecond)))
	for set := w.Set(); len(set) == 0; set = w.Set() { // it may have answered after the first round
		t.Log(set)
	}
}
