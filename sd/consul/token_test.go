package consul_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/hashicorp/consul/api"

	"github.com/ashlar-go/ashlar/internal/testserver"
	"github.com/ashlar-go/ashlar/sd"
	"github.com/ashlar-go/ashlar/sd/internal/watchtest"
)

// withToken returns a client with that token.
func withToken(t *testing.T, address, token string) *api.Client {
	t.Helper()
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	client, err := api.NewClient(&api.Config{Address: address, Token: token, HttpClient: &http.Client{Transport: transport}})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func TestATokenNeedsNoMoreThanToWriteTheService(t *testing.T) {
	t.Parallel()
	const all = "6b1a6a6c-8b5e-4f0e-9d38-2f1f3c1f0a11"
	agent := testserver.StartConsul(t, fmt.Sprintf(
		`acl { enabled = true, default_policy = "deny", tokens { initial_management = %q, agent = %q, default = %q } }`, all, all, all))
	manager := withToken(t, agent.Address, all)
	policy := &api.ACLPolicy{Name: "web", Rules: `service "web" { policy = "write" }`}
	if _, _, err := manager.ACL().PolicyCreate(policy, nil); err != nil {
		t.Fatal(err)
	}
	token, _, err := manager.ACL().TokenCreate(&api.ACLToken{Policies: []*api.ACLLink{{Name: "web"}}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	client := withToken(t, agent.Address, token.SecretID)
	events := watchtest.Start(t, newInstancer(t, manager, "web"))
	withdraw := watchtest.Register(t, newRegistrar(t, client, "web"), sd.Instance{ID: "1", Address: "10.0.0.1:80"})
	events.AwaitIDs("1")
	withdraw()
	events.AwaitIDs()
	if _, err := newRegistrar(t, client, "other").Register(t.Context(), sd.Instance{ID: "1", Address: "10.0.0.1:80"}); err == nil {
		t.Error("want an error where the token may not write")
	}
	// Where the nodes must not be seen the set is empty, as Consul says it.
	if set := firstSet(t, newInstancer(t, client, "web")); len(set) > 0 {
		t.Errorf("want an empty set, have %v", set)
	}
}
