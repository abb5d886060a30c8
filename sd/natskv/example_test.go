package natskv_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/ashlar-go/ashlar/internal/testserver"
	"github.com/ashlar-go/ashlar/sd"
	"github.com/ashlar-go/ashlar/sd/natskv"
)

// run is the program of docs/sd-natskv.md, with where it prints.
func run(ctx context.Context, js jetstream.JetStream, out func(text string)) error {
	if _, err := js.CreateOrUpdateKeyValue(ctx, natskv.Bucket("instances")); err != nil {
		return err
	}
	registrar, err := natskv.NewRegistrar(js, "instances", "orders")
	if err != nil {
		return err
	}
	deregister, err := registrar.Register(ctx, sd.Instance{Address: "10.0.0.7:8080", Zone: "eu-1"})
	if err != nil {
		return err
	}
	defer deregister(ctx) //nolint:errcheck // there is no more to be done

	instancer, err := natskv.NewInstancer(js, "instances", "orders")
	if err != nil {
		return err
	}
	for set, err := range instancer.Watch(ctx) {
		if err != nil {
			out("the last set stays: " + err.Error())
			continue
		}
		out(fmt.Sprint(set, " ", set[0].Zone))
		break
	}
	return nil
}

func TestTheProgramOfTheDocumentation(t *testing.T) {
	t.Parallel()
	server := testserver.StartNATS(t)
	var have string
	if err := run(t.Context(), connect(t, server.URL), func(text string) { have += text }); err != nil {
		t.Fatal(err)
	}
	if want := "[10.0.0.7:8080] eu-1"; have != want {
		t.Errorf("want %q, have %q", want, have)
	}
}
