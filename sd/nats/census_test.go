package natsdiscovery_test

import (
	"fmt"
	"testing"

	"github.com/ashlar-go/ashlar/sd/internal/watchtest"
	"github.com/ashlar-go/ashlar/sd/nats"
)

func TestMissesBeforeAnOutageCountForNothing(t *testing.T) {
	t.Parallel()
	answer := func(id, address string) []byte {
		return fmt.Appendf(nil, `{"name":"orders","id":%q,"metadata":{"ashlar.address":%q},"type":"io.nats.micro.v1.info_response"}`, id, address)
	}
	c := natsdiscovery.NewCensus(service, 3)
	one, two := answer("m1", "a:1"), answer("m2", "a:2")
	watchtest.WantAddresses(t, c.Round(one, two), "a:1", "a:2")
	watchtest.WantAddresses(t, c.Round(one), "a:1", "a:2")
	watchtest.WantAddresses(t, c.Round(one), "a:1", "a:2") // missed twice
	c.Forget()
	watchtest.WantAddresses(t, c.Round(one), "a:1", "a:2")
	watchtest.WantAddresses(t, c.Round(), "a:1", "a:2")
	watchtest.WantAddresses(t, c.Round(one), "a:1")
	watchtest.WantAddresses(t, c.Round(two), "a:1", "a:2")
}
