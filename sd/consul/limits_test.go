package consul_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/hashicorp/consul/api"

	"github.com/ashlar-go/ashlar/sd"
	"github.com/ashlar-go/ashlar/sd/internal/watchtest"
)

// limits also asks Consul itself, so that nothing is refused that it would take, and the reverse.
func limits(t *testing.T, client *api.Client) {
	t.Helper()
	registrar := newRegistrar(t, client, "limits")
	many := func(n int) map[string]string {
		pairs := make(map[string]string, n)
		for i := range n {
			pairs[fmt.Sprint("k", i)] = "v"
		}
		return pairs
	}
	for want, metadata := range map[string]map[string]string{
		"letters, digits":            {"a.b": "v"},
		"has 129 bytes":              {strings.Repeat("k", 129): "v"},
		"k has 513 bytes":            {"k": strings.Repeat("v", 513)},
		"begins with consul-":        {"consul-x": "v"},
		"pairs of metadata, 2 of":    many(64),
		"ashlar-, which are":         {"ashlar-x": "v"},
		"set the field":              {"zone": "v"},
		"\"version\" of its metadat": {"version": "v"},
	} {
		_, err := registrar.Register(t.Context(), sd.Instance{ID: "1", Address: "10.0.0.1:80", Metadata: metadata})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want an error with %q, have %v", want, err)
		}
		own := strings.Contains(want, "ashlar") || strings.Contains(want, "field") || strings.Contains(want, "version")
		meta := maps.Clone(metadata)
		if len(metadata) > 1 {
			meta["ashlar-id"], meta["ashlar-registration"] = "1", "1"
		}
		if err := client.Agent().ServiceRegister(&api.AgentServiceRegistration{Name: "limits", ID: "x", Meta: meta}); (err == nil) != own {
			t.Errorf("%s: Consul itself says %v", want, err)
		}
	}
	for want, instance := range map[string]sd.Instance{
		"the address is missing":  {},
		"its address has no host": {Address: ":80"},
		"its ID has 513 bytes":    {ID: strings.Repeat("i", 513), Address: "a:80"},
		"its zone has 513 bytes":  {Address: "a:80", Zone: strings.Repeat("i", 513)},
		"at most 65536":           {Address: "a:80", Tags: []string{strings.Repeat("t", 1<<16)}},
		"Invalid service address": {Address: "0.0.0.0:80"}, // which Consul says
	} {
		if _, err := registrar.Register(t.Context(), instance); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want an error with %q, have %v", want, err)
		}
	}
	watchtest.Register(t, registrar, sd.Instance{ID: "most", Address: "a:80", Metadata: many(62)})
}
