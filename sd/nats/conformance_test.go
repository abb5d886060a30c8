package natsdiscovery_test

import (
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/ashlar-go/ashlar/internal/testserver"
	"github.com/ashlar-go/ashlar/sd"
	"github.com/ashlar-go/ashlar/sd/nats"
	"github.com/ashlar-go/ashlar/sd/sdtest"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	server := testserver.StartNATS(t)
	asking, answering := connect(t, server.URL), connect(t, server.URL)
	sdtest.Run(t, sdtest.Harness{
		Instancer: func(service string) (sd.Instancer, error) {
			return natsdiscovery.NewInstancer(asking, service, natsdiscovery.InstancerInterval(time.Second))
		},
		Registrar: func(service string) (sd.Registrar, error) { return natsdiscovery.NewRegistrar(answering, service) },
		Corrupt: func(service string) error {
			_, err := answering.Subscribe("$SRV.INFO."+service, func(m *nats.Msg) { _ = m.Respond([]byte("that is none")) })
			return err
		},
		Outage: func() (func() error, error) {
			server.Stop()
			return func() error { server.Start(); return nil }, nil
		},
		Differences: []sdtest.Difference{
			{Check: "Forget", Reason: "nothing is stored that could be lost: the instances answer for themselves"},
			{Check: "OutageDeregister", Reason: "nobody but this process answers for the instance, so that it is gone also without a connection"},
		},
	})
}
