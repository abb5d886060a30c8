package natsdiscovery_test

import (
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/ashlar-go/ashlar/internal/testserver"
	"github.com/ashlar-go/ashlar/sd"
	"github.com/ashlar-go/ashlar/sd/nats"
)

func TestWrongArgumentsAreRefused(t *testing.T) {
	t.Parallel()
	nc := new(nats.Conn)
	for text, f := range map[string]func() error{
		"NewInstancer: the connection is nil":                  func() error { _, err := natsdiscovery.NewInstancer(nil, service); return err },
		`NewInstancer: the name of the service is "a.b"`:       func() error { _, err := natsdiscovery.NewInstancer(nc, "a.b"); return err },
		"NewInstancer: the list of options: function 0 is nil": func() error { _, err := natsdiscovery.NewInstancer(nc, service, nil); return err },
		"InstancerInterval(0s)": func() error {
			_, err := natsdiscovery.NewInstancer(nc, service, natsdiscovery.InstancerInterval(0))
			return err
		},
		"InstancerWindow(-1s)": func() error {
			_, err := natsdiscovery.NewInstancer(nc, service, natsdiscovery.InstancerWindow(-time.Second))
			return err
		},
		"InstancerMisses(0)": func() error {
			_, err := natsdiscovery.NewInstancer(nc, service, natsdiscovery.InstancerMisses(0))
			return err
		},
		"more than half of InstancerInterval": func() error {
			_, err := natsdiscovery.NewInstancer(nc, service, natsdiscovery.InstancerInterval(time.Millisecond))
			return err
		},
		"NewRegistrar: the connection is nil":                  func() error { _, err := natsdiscovery.NewRegistrar(nil, service); return err },
		`NewRegistrar: the name of the service is ""`:          func() error { _, err := natsdiscovery.NewRegistrar(nc, ""); return err },
		"NewRegistrar: the list of options: function 0 is nil": func() error { _, err := natsdiscovery.NewRegistrar(nc, service, nil); return err },
		"RegistrarOnError: function 1 is nil": func() error {
			_, err := natsdiscovery.NewRegistrar(nc, service, natsdiscovery.RegistrarOnError(func(error) {}, nil))
			return err
		},
	} {
		if err := f(); err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("want an error with %q, have %v", text, err)
		}
	}
}

func TestWhatCannotBeAnnouncedIsRefused(t *testing.T) {
	t.Parallel()
	server := testserver.StartNATS(t, "max_payload: 4096")
	r, err := natsdiscovery.NewRegistrar(connect(t, server.URL), service)
	if err != nil {
		t.Fatal(err)
	}
	for text, metadata := range map[string]map[string]string{
		`the key "ashlar.zone" of metadata begins with ashlar.`: {"ashlar.zone": "x"},
		"and 4096 are the most":                                 {"x": strings.Repeat("x", 4096)},
	} {
		if _, err := r.Register(t.Context(), sd.Instance{Address: "a:1", Metadata: metadata}); err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("want an error with %q, have %v", text, err)
		}
	}
}
