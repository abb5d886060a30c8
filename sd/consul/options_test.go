package consul_test

import (
	"context"
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

var (
	_ sd.Instancer = (*consul.Instancer)(nil)
	_ sd.Registrar = (*consul.Registrar)(nil)
)

func contextFor(t *testing.T, limit time.Duration) (context.Context, context.CancelFunc) {
	t.Helper()
	return context.WithTimeout(t.Context(), limit)
}

func TestOptionsReachTheQuery(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		opts []consul.InstancerOption
		want []string // of the first, of one that goes on from there, and of the first after an error
	}{
		{nil, []string{"consistent=&passing=1&wait=60000ms", "index=7&passing=1&wait=60000ms", "consistent=&passing=1&wait=60000ms"}},
		{
			[]consul.InstancerOption{consul.InstancerStale()},
			[]string{"passing=1&stale=&wait=60000ms", "index=7&passing=1&stale=&wait=60000ms", "passing=1&stale=&wait=60000ms"},
		},
		{
			[]consul.InstancerOption{consul.InstancerConsistent(), consul.InstancerWait(5 * time.Second)},
			[]string{"consistent=&passing=1&wait=5000ms", "consistent=&index=7&passing=1&wait=5000ms", "consistent=&passing=1&wait=5000ms"},
		},
		{
			[]consul.InstancerOption{consul.InstancerDatacenter("east"), consul.InstancerTags("a", "b")},
			[]string{"consistent=&dc=east&passing=1&tag=a&tag=b&wait=60000ms", "dc=east&index=7&passing=1&tag=a&tag=b&wait=60000ms"},
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := &script{answer: func(n int, r *http.Request) (string, string, int) {
				switch n {
				case 0:
				case 1:
					return "", "no leader", http.StatusInternalServerError
				default:
					block(r)
				}
				return "7", "[]", http.StatusOK
			}}
			run(t, s, 10*time.Second, row.opts...)
			if have := s.queries[:min(len(row.want), len(s.queries))]; !slices.Equal(row.want, have) {
				t.Errorf("want %q, have %q", row.want, have)
			}
		})
	}
	synctest.Test(t, func(t *testing.T) {
		s := &script{answer: func(n int, _ *http.Request) (string, string, int) {
			return strings.Repeat("1", n%9+1), "[]", http.StatusOK
		}}
		run(t, s, time.Minute, consul.InstancerInterval(20*time.Second))
		if n := len(s.queries); n < 3 || n > 5 {
			t.Errorf("want two queries at once and one each 20 s, have %d in a minute", n)
		}
	})
}

func TestMistakesAreNamed(t *testing.T) {
	t.Parallel()
	client, err := api.NewClient(&api.Config{Address: "agent"})
	if err != nil {
		t.Fatal(err)
	}
	for want, err := range map[string]error{
		"consul: NewInstancer: the client is nil": second(consul.NewInstancer(nil, "web")),
		"consul: NewRegistrar: the client is nil": second(consul.NewRegistrar(nil, "web")),
		"service is empty":                        second(consul.NewInstancer(client, "")),
		"the name of the service is \"a/b":        second(consul.NewRegistrar(client, "a/b")),
		"between the dots":                        second(consul.NewInstancer(client, "..")),
		"InstancerTags([])":                       second(consul.NewInstancer(client, "web", consul.InstancerTags())),
		`InstancerTags(["a" ""])`:                 second(consul.NewInstancer(client, "web", consul.InstancerTags("a", ""))),
		"InstancerDatacenter: the name":           second(consul.NewInstancer(client, "web", consul.InstancerDatacenter(""))),
		"InstancerWait(1ms): want 1s to":          second(consul.NewInstancer(client, "web", consul.InstancerWait(time.Millisecond))),
		"InstancerInterval(0s): want":             second(consul.NewInstancer(client, "web", consul.InstancerInterval(0))),
		"exclude each other":                      second(consul.NewInstancer(client, "web", consul.InstancerStale(), consul.InstancerConsistent())),
		"InstancerConsistent exclude":             second(consul.NewInstancer(client, "web", consul.InstancerConsistent(), consul.InstancerStale())),
		"NewInstancer: the list of opt":           second(consul.NewInstancer(client, "web", nil)),
		"RegistrarTTL(1ns): want 1s to":           second(consul.NewRegistrar(client, "web", consul.RegistrarTTL(1))),
		"RegistrarDeregisterAfter(1s): wa":        second(consul.NewRegistrar(client, "web", consul.RegistrarDeregisterAfter(time.Second))),
		"RegistrarOnError: function 0":            second(consul.NewRegistrar(client, "web", consul.RegistrarOnError(nil))),
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, have %v", want, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }
