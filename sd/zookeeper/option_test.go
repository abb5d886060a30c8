package zookeeper_test

import (
	"strings"
	"testing"
	"time"

	"github.com/ashlar-go/ashlar/sd/zookeeper"
)

func TestOptionsAreChecked(t *testing.T) {
	t.Parallel()
	conn := connect(t, "127.0.0.1:1", time.Second) // where nobody is
	instancer := map[string]zookeeper.InstancerOption{
		`InstancerPrefix("a"): it does not begin`: zookeeper.InstancerPrefix("a"),
		`InstancerPrefix(""): it does not begin`:  zookeeper.InstancerPrefix(""),
		`InstancerPrefix("/a/"): a name in it`:    zookeeper.InstancerPrefix("/a/"),
		`InstancerPrefix("/a//b"): a name in it`:  zookeeper.InstancerPrefix("/a//b"),
		`InstancerPrefix("/a/../b"): ".."`:        zookeeper.InstancerPrefix("/a/../b"),
		`InstancerPrefix("/a b"): "a b" has`:      zookeeper.InstancerPrefix("/a b"),
		"InstancerCheck(99ms)":                    zookeeper.InstancerCheck(99 * time.Millisecond),
		"InstancerCheck(1h0m0.001s)":              zookeeper.InstancerCheck(time.Hour + time.Millisecond),
		"the list of options: function 0 is nil":  nil,
	}
	for want, opt := range instancer {
		if _, err := zookeeper.NewInstancer(conn, "orders", opt); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want an error with %s, have %v", want, err)
		}
	}
	registrar := map[string]zookeeper.RegistrarOption{
		`RegistrarPrefix("a")`:                   zookeeper.RegistrarPrefix("a"),
		"RegistrarOnError: function 1 is nil":    zookeeper.RegistrarOnError(func(error) {}, nil),
		"the list of options: function 0 is nil": nil,
	}
	for want, opt := range registrar {
		if _, err := zookeeper.NewRegistrar(conn, "orders", opt); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want an error with %s, have %v", want, err)
		}
	}
	for service, want := range map[string]string{"": "empty", "a/b": `"a/b"`, "..": "after and between the dots"} {
		if _, err := zookeeper.NewInstancer(nil, service); err == nil || !strings.Contains(err.Error(), "is nil") || !strings.Contains(err.Error(), want) {
			t.Errorf("want both mistakes, %s, have %v", want, err)
		}
		if _, err := zookeeper.NewRegistrar(nil, service); err == nil || !strings.Contains(err.Error(), "is nil") || !strings.Contains(err.Error(), want) {
			t.Errorf("want both mistakes, %s, have %v", want, err)
		}
	}
}
