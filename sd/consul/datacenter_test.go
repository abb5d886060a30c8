package consul_test

import (
	"fmt"
	"testing"

	"github.com/ashlar-go/ashlar/internal/testserver"
	"github.com/ashlar-go/ashlar/sd"
	"github.com/ashlar-go/ashlar/sd/consul"
	"github.com/ashlar-go/ashlar/sd/internal/watchtest"
)

func TestADatacenterIsChosen(t *testing.T) {
	t.Parallel()
	here := testserver.StartConsul(t)
	there := testserver.StartConsul(t, `datacenter = "there"`, fmt.Sprintf(`retry_join_wan = [%q]`, here.WAN), `retry_interval_wan = "1s"`)
	client := newClient(t, here.Address)
	watchtest.Register(t, newRegistrar(t, newClient(t, there.Address), "web"), sd.Instance{ID: "there", Address: "10.0.0.1:80"})
	watchtest.Register(t, newRegistrar(t, client, "web"), sd.Instance{ID: "here", Address: "10.0.0.2:80"})
	watchtest.Start(t, newInstancer(t, client, "web", consul.InstancerDatacenter("there"))).AwaitIDs("there")
	watchtest.Start(t, newInstancer(t, client, "web")).AwaitIDs("here")
}
