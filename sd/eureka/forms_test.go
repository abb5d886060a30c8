package eureka_test

import (
	"net/http"
	"testing"

	"github.com/ashlar-go/ashlar/internal/testserver"
	"github.com/ashlar-go/ashlar/sd"
	"github.com/ashlar-go/ashlar/sd/internal/watchtest"
)

func TestInstancesOfOthersAreInstances(t *testing.T) {
	t.Parallel()
	server := testserver.StartEureka(t)
	client := newClient(t, server.URL)
	for id, more := range map[string][]string{
		"spring:web:80": {"metadata", `{"zone":"north","version":"2","management.port":"8081"}`},
		"secure":        {"port", `{"$":80,"@enabled":"false"}`, "securePort", `{"$":8443,"@enabled":"true"}`, "hostName", `"web-1"`},
		"v6":            {"hostName", `"2001:db8::1"`},
	} {
		if status := send(t, http.MethodPost, server.URL+"/apps/WEB", info("web", id, more...)); status != http.StatusNoContent {
			t.Fatalf("%s: HTTP %d", id, status)
		}
	}
	want := []sd.Instance{
		{ID: "secure", Address: "web-1:8443"},
		{ID: "spring:web:80", Address: "10.0.0.9:80", Zone: "north", Version: "2", Metadata: map[string]string{"management.port": "8081"}},
		{ID: "v6", Address: "[2001:db8::1]:80"},
	}
	have := watchtest.Start(t, newInstancer(t, client, "web")).AwaitIDs("secure", "spring:web:80", "v6")
	if !sd.Same(want, have) {
		t.Errorf("want %+v, have %+v", want, have)
	}
}

func TestAListOfOneMayBeWrittenAsOne(t *testing.T) {
	t.Parallel()
	server := testserver.StartEureka(t)
	server.SingleAsObject()
	client := newClient(t, server.URL)
	events := watchtest.Start(t, newInstancer(t, client, "web"))
	registrar := newRegistrar(t, client, "web")
	want := sd.Instance{
		ID: "1", Address: "10.0.0.1:80", Weight: 7, Version: "3", Tags: []string{"a"},
		Metadata: map[string]string{"n": "42", "b": "true", "odd key": "1"},
	}
	watchtest.Register(t, registrar, want)
	if have := events.AwaitIDs("1")[0]; !want.Equal(have) {
		t.Errorf("want %+v, have %+v", want, have)
	}
	watchtest.Register(t, registrar, sd.Instance{ID: "2", Address: "10.0.0.2:80"})
	events.AwaitIDs("1", "2")
}
