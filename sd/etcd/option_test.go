package etcd_test

import (
	"strings"
	"testing"
	"time"

	"github.com/ashlar-go/ashlar/sd/etcd"
)

func TestOptionsAreChecked(t *testing.T) {
	t.Parallel()
	client := connect(t, "192.0.2.1:2379") // which is not asked
	instancer := map[string]etcd.InstancerOption{
		`InstancerPrefix("a")`:       etcd.InstancerPrefix("a"),
		"InstancerCheck(99ms)":       etcd.InstancerCheck(99 * time.Millisecond),
		"InstancerCheck(1h0m0.001s)": etcd.InstancerCheck(time.Hour + time.Millisecond),
		"function 0 is nil":          nil,
	}
	for want, opt := range instancer {
		if _, err := etcd.NewInstancer(client, "orders", opt); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want an error with %s, have %v", want, err)
		}
	}
	registrar := map[string]etcd.RegistrarOption{
		`RegistrarPrefix("a")`:                 etcd.RegistrarPrefix("a"),
		"RegistrarTTL(1s)":                     etcd.RegistrarTTL(time.Second),
		"RegistrarTTL(2.5s)":                   etcd.RegistrarTTL(2500 * time.Millisecond),
		"RegistrarTTL(1h0m1s)":                 etcd.RegistrarTTL(time.Hour + time.Second),
		"RegistrarOnError: function 1 is nil":  etcd.RegistrarOnError(func(error) {}, nil),
		"the list of options: function 0 is n": nil,
	}
	for want, opt := range registrar {
		if _, err := etcd.NewRegistrar(client, "orders", opt); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want an error with %s, have %v", want, err)
		}
	}
	if _, err := etcd.NewInstancer(nil, "a/b"); err == nil || !strings.Contains(err.Error(), "client is nil") || !strings.Contains(err.Error(), `"a/b"`) {
		t.Errorf("want both mistakes, have %v", err)
	}
	if _, err := etcd.NewRegistrar(nil, ""); err == nil || !strings.Contains(err.Error(), "client is nil") || !strings.Contains(err.Error(), "empty") {
		t.Errorf("want both mistakes, have %v", err)
	}
}
