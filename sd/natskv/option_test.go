package natskv_test

import (
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/ashlar-go/ashlar/internal/testserver"
	"github.com/ashlar-go/ashlar/sd"
	"github.com/ashlar-go/ashlar/sd/natskv"
)

func TestWrongArgumentsAreRefused(t *testing.T) {
	t.Parallel()
	js, err := jetstream.New(new(nats.Conn))
	if err != nil {
		t.Fatal(err)
	}
	instancer := func(js jetstream.JetStream, bucket, service string, opts ...natskv.InstancerOption) func() error {
		return func() error { _, err := natskv.NewInstancer(js, bucket, service, opts...); return err }
	}
	registrar := func(js jetstream.JetStream, bucket, service string, opts ...natskv.RegistrarOption) func() error {
		return func() error { _, err := natskv.NewRegistrar(js, bucket, service, opts...); return err }
	}
	for text, f := range map[string]func() error{
		"NewInstancer: the JetStream is nil":            instancer(nil, "b", "s"),
		`NewInstancer: the name of the bucket is "a.b"`: instancer(js, "a.b", "s"),
		"NewInstancer: sd: the name of the service":     instancer(js, "b", "a b"),
		"NewInstancer: the list of options: function 0": instancer(js, "b", "s", nil),
		"InstancerGrace(-1ns)":                          instancer(js, "b", "s", natskv.InstancerGrace(-1)),
		"NewRegistrar: the JetStream is nil":            registrar(nil, "b", "s"),
		`NewRegistrar: the name of the bucket is ""`:    registrar(js, "", "s"),
		"NewRegistrar: sd: the name of the service":     registrar(js, "b", ""),
		"NewRegistrar: the list of options: function 0": registrar(js, "b", "s", nil),
		"RegistrarTTL(1.5s)":                            registrar(js, "b", "s", natskv.RegistrarTTL(1500*time.Millisecond)),
		"RegistrarTTL(0s)":                              registrar(js, "b", "s", natskv.RegistrarTTL(0)),
		"RegistrarCreate: the LimitMarkerTTL is 0s":     registrar(js, "b", "s", natskv.RegistrarCreate(jetstream.KeyValueConfig{})),
		"RegistrarOnError: function 0 is nil":           registrar(js, "b", "s", natskv.RegistrarOnError(nil)),
	} {
		if err := f(); err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("want an error with %q, have %v", text, err)
		}
	}
}

func TestAnInstanceThatIsTooLargeIsRefused(t *testing.T) {
	t.Parallel()
	server := testserver.StartNATS(t)
	js := connect(t, server.URL)
	makeBucket(t, js, 1)
	_, err := newRegistrar(t, js).Register(t.Context(), sd.Instance{Address: "a:1", Metadata: map[string]string{"x": strings.Repeat("x", 64<<10)}})
	if err == nil || !strings.Contains(err.Error(), "at most 65536 are stored") {
		t.Errorf("want an error that says so, have %v", err)
	}
}
