package consul_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/consul/api"

	"github.com/ashlar-go/ashlar/sd"
	"github.com/ashlar-go/ashlar/sd/consul"
)

// notes is what an agent knows of one service, and how it behaves.
type notes struct {
	script

	put     api.AgentServiceRegistration // what was registered last
	service json.RawMessage              // nil when it has none
	silent  bool                         // it does not tell the servers
	hidden  bool                         // nor may the token see what the servers have
	paths   []string                     // without the queries
	signs   []time.Time                  // of life
}

// newNotes returns an agent that takes one service.
func newNotes() *notes {
	n := &notes{}
	n.answer = func(_ int, r *http.Request) (string, string, int) {
		path := strings.TrimPrefix(r.URL.Path, "/v1/")
		if path != "health/service/web" {
			n.paths = append(n.paths, path)
		}
		switch {
		case path == "agent/service/register":
			var service api.AgentServiceRegistration
			if err := json.NewDecoder(r.Body).Decode(&service); err != nil {
				return "", err.Error(), http.StatusBadRequest
			}
			n.put = service
			n.service, _ = json.Marshal(api.AgentService{ID: service.ID, Service: service.Name, Address: service.Address, Port: service.Port, Meta: service.Meta})
		case strings.HasPrefix(path, "agent/service/deregister/"):
			n.service = nil
		case strings.HasPrefix(path, "agent/check/update/"):
			n.signs = append(n.signs, time.Now())
		case path == "health/service/web":
			if n.service == nil || n.silent {
				if r.URL.Query().Has("index") {
					block(r)
				}
				return "3", "[]", http.StatusOK
			}
			return "3", `[{"Node":{"Node":"n"},"Service":` + string(n.service) + "}]", http.StatusOK
		case n.service == nil:
			return "", "none", http.StatusNotFound
		default:
			return "", string(n.service), http.StatusOK
		}
		return "", "", http.StatusOK
	}
	return n
}

// RoundTrip adds to the answer that the token may not see all.
func (n *notes) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := n.script.RoundTrip(r)
	if err == nil && n.hidden {
		response.Header.Set("X-Consul-Results-Filtered-By-Acls", "true")
	}
	return response, err
}

func (n *notes) registrar(t *testing.T) *consul.Registrar {
	t.Helper()
	client, err := api.NewClient(&api.Config{Address: "agent", HttpClient: &http.Client{Transport: n}})
	if err != nil {
		t.Fatal(err)
	}
	registrar, err := consul.NewRegistrar(client, "web")
	if err != nil {
		t.Fatal(err)
	}
	return registrar
}

func TestSignsOfLifeComeWellWithinTheTTL(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n, begin := newNotes(), time.Now()
		ctx, cancel := contextFor(t, 16*time.Second)
		defer cancel()
		deregister, err := n.registrar(t).Register(ctx, sd.Instance{ID: "1", Address: "10.0.0.1:80"})
		if err != nil {
			t.Fatal(err)
		}
		<-ctx.Done()
		if err := deregister(t.Context()); err != nil {
			t.Error(err)
		}
		var have []time.Duration
		for _, sign := range n.signs {
			have = append(have, sign.Sub(begin))
		}
		if want := []time.Duration{0, 5 * time.Second, 10 * time.Second, 15 * time.Second}; !slices.Equal(want, have) {
			t.Errorf("want signs of life at %v, have %v", want, have)
		}
		check := n.put.Check
		if check.TTL != "15s" || check.DeregisterCriticalServiceAfter != "1m0s" || check.Status != api.HealthCritical {
			t.Errorf("want a TTL of 15 s, an end a minute after it, and nothing that passes by itself, have %+v", check)
		}
		want := []string{"agent/service/register", "agent/service/deregister/web:1"}
		if have := []string{n.paths[0], n.paths[len(n.paths)-1]}; !slices.Equal(want, have) {
			t.Errorf("want %v first and last, have %v", want, have)
		}
	})
}

func TestAnAgentThatTellsNobodyIsAnError(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := newNotes()
		n.silent = true
		begin := time.Now()
		_, err := n.registrar(t).Register(t.Context(), sd.Instance{ID: "1", Address: "10.0.0.1:80"})
		if err == nil || time.Since(begin) > 20*time.Second {
			t.Errorf("want an error after some seconds, have %v after %v", err, time.Since(begin))
		}
		if n.service != nil || len(n.signs) > 20 {
			t.Errorf("want nothing left behind, and no busy loop, have %s and %d signs of life", n.service, len(n.signs))
		}
	})
}

func TestATokenThatMayNotSeeTheServiceRegistersIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := newNotes()
		n.silent, n.hidden = true, true
		deregister, err := n.registrar(t).Register(t.Context(), sd.Instance{ID: "1", Address: "10.0.0.1:80"})
		if err != nil {
			t.Fatal(err)
		}
		if err := deregister(t.Context()); err != nil || n.service != nil {
			t.Errorf("want nothing left behind, have %s, %v", n.service, err)
		}
	})
}
