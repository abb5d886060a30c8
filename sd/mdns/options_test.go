package mdns_test

import (
	"strings"
	"testing"
	"time"

	"github.com/ashlar-go/ashlar/sd"
	"github.com/ashlar-go/ashlar/sd/mdns"
)

func TestConstructorsRefuseWhatIsWrong(t *testing.T) {
	t.Parallel()
	instancer := func(service string, opts ...mdns.InstancerOption) error {
		_, err := mdns.NewInstancer(service, opts...)
		return err
	}
	registrar := func(service string, opts ...mdns.RegistrarOption) error {
		_, err := mdns.NewRegistrar(service, opts...)
		return err
	}
	for want, err := range map[string]error{
		"mdns: NewInstancer: sd: the name of the service is empty":    instancer(""),
		`mdns: NewInstancer: sd: the name of the service is "a/b"`:    instancer("a/b"),
		`InstancerInterfaces([]): want names of interfaces`:           instancer("a", mdns.InstancerInterfaces()),
		`InstancerInterfaces(["lo" ""]): want names of interfaces`:    instancer("a", mdns.InstancerInterfaces("lo", "")),
		"mdns: NewInstancer: the list of options: function 0 is nil":  instancer("a", nil),
		"mdns: NewRegistrar: sd: the name of the service is empty":    registrar(""),
		`RegistrarInterfaces([]): want names of interfaces`:           registrar("a", mdns.RegistrarInterfaces()),
		"RegistrarTTL(1s): want whole seconds from 2s to 1h15m0s":     registrar("a", mdns.RegistrarTTL(time.Second)),
		"RegistrarTTL(2.5s): want whole seconds from 2s to 1h15m0s":   registrar("a", mdns.RegistrarTTL(2500*time.Millisecond)),
		"RegistrarTTL(2h0m0s): want whole seconds from 2s to 1h15m0s": registrar("a", mdns.RegistrarTTL(2*time.Hour)),
		"mdns: NewRegistrar: RegistrarOnError: function 0 is nil":     registrar("a", mdns.RegistrarOnError(nil)),
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %s, have %v", want, err)
		}
	}
}

func TestRegisterRefusesWhatDoesNotFit(t *testing.T) {
	t.Parallel()
	r, err := mdns.NewRegistrar("orders", mdns.RegistrarInterfaces(loopback(t)))
	if err != nil {
		t.Fatal(err)
	}
	for want, i := range map[string]sd.Instance{
		"sd: register: the address is missing":                                        {},
		`mdns: register: the address "0.0.0.0:80" names no host that others can call`: {Address: "0.0.0.0:80"},
		`mdns: register: the address "[::]:80" names no host that others can call`:    {Address: "[::]:80"},
		`mdns: register: the address ":80" names no host that others can call`:        {Address: ":80"},
		`mdns: register: "zone" takes 305 bytes in a TXT record, and at most 255 fit`: {Address: "a:1", Zone: strings.Repeat("x", 300)},
	} {
		if _, err := r.Register(t.Context(), i); err == nil || err.Error() != want {
			t.Errorf("want %s, have %v", want, err)
		}
	}
}

func TestAnInterfaceThatIsNotThereIsSaid(t *testing.T) {
	t.Parallel()
	const want = "mdns: no network interface can be used: nowhere is not there, is down or does no multicast"
	i, err := mdns.NewInstancer("orders", mdns.InstancerInterfaces("nowhere"))
	if err != nil {
		t.Fatal(err)
	}
	for set, err := range i.Watch(t.Context()) {
		if err == nil || err.Error() != want {
			t.Errorf("want %s, have %v, %v", want, set, err)
		}
		break
	}
	r, err := mdns.NewRegistrar("orders", mdns.RegistrarInterfaces("nowhere"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Register(t.Context(), sd.Instance{Address: "192.0.2.1:80"}); err == nil || err.Error() != want {
		t.Errorf("want %s, have %v", want, err)
	}
}
