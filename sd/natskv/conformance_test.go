package natskv_test

import (
	"context"
	"testing"

	"github.com/ashlar-go/ashlar/internal/testserver"
	"github.com/ashlar-go/ashlar/sd"
	"github.com/ashlar-go/ashlar/sd/natskv"
	"github.com/ashlar-go/ashlar/sd/sdtest"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	server := testserver.StartNATS(t)
	watching, writing := connect(t, server.URL), connect(t, server.URL)
	bucket := makeBucket(t, writing, 1)
	sdtest.Run(t, sdtest.Harness{
		Instancer: func(service string) (sd.Instancer, error) { return natskv.NewInstancer(watching, bucketName, service) },
		Registrar: func(service string) (sd.Registrar, error) { return natskv.NewRegistrar(writing, bucketName, service) },
		Forget: func(service string, instance sd.Instance) error {
			return bucket.Purge(context.Background(), key(service, instance.ID))
		},
		Corrupt: func(service string) error {
			_, err := bucket.PutString(context.Background(), key(service, "bad"), `{"address":7}`)
			return err
		},
		Outage: func() (func() error, error) {
			server.Stop()
			return func() error { server.Start(); return nil }, nil
		},
	})
}
