package natsdiscovery_test

import (
	"testing"
	"time"

	"github.com/ashlar-go/ashlar/internal/testserver"
	"github.com/ashlar-go/ashlar/sd"
	"github.com/ashlar-go/ashlar/sd/nats"
)

// It takes longer to reach the server than answers are waited for, as it is over a satellite.
func TestAServerThatIsFarAwayIsWaitedFor(t *testing.T) {
	t.Parallel()
	server := testserver.StartNATS(t)
	nc := connect(t, server.URL)
	register(t, nc, sd.Instance{Address: "10.0.0.1:80"})
	i := newInstancer(t, nc, natsdiscovery.InstancerWindow(time.Nanosecond))
	wantAddresses(t, watch(t, i).set(), "10.0.0.1:80")
}
