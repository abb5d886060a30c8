package eureka_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/ashlar-go/ashlar/sd"
	"github.com/ashlar-go/ashlar/sd/eureka"
)

var (
	_ sd.Instancer = (*eureka.Instancer)(nil)
	_ sd.Registrar = (*eureka.Registrar)(nil)
)

func TestMistakesAreNamed(t *testing.T) {
	t.Parallel()
	servers := []string{"http://eureka"}
	client := newClient(t, servers...)
	for want, err := range map[string]error{
		"the http.Client is nil":                  second(eureka.NewClient(nil, servers)),
		"there are no servers":                    second(eureka.NewClient(http.DefaultClient, nil)),
		`is "eureka:8761", want`:                  second(eureka.NewClient(http.DefaultClient, []string{"eureka:8761"})),
		`user:xxxxx@h/?x=1", want`:                second(eureka.NewClient(http.DefaultClient, []string{"http://user:secret@h/?x=1"})),
		"cannot be read":                          second(eureka.NewClient(http.DefaultClient, []string{"http://user:secret@h:x"})),
		"ClientTimeout(0s): want":                 second(eureka.NewClient(http.DefaultClient, servers, eureka.ClientTimeout(0))),
		"ClientMaxResponse(1): want":              second(eureka.NewClient(http.DefaultClient, servers, eureka.ClientMaxResponse(1))),
		"eureka: NewInstancer: the client is nil": second(eureka.NewInstancer(nil, "web")),
		"eureka: NewRegistrar: the client is nil": second(eureka.NewRegistrar(nil, "web")),
		"service is empty":                        second(eureka.NewInstancer(client, "")),
		"between the dots":                        second(eureka.NewRegistrar(client, ".")),
		"InstancerInterval(1ms)":                  second(eureka.NewInstancer(client, "web", eureka.InstancerInterval(time.Millisecond))),
		"InstancerGrace(-1s): want":               second(eureka.NewInstancer(client, "web", eureka.InstancerGrace(-time.Second))),
		"RegistrarTTL(1s): want":                  second(eureka.NewRegistrar(client, "web", eureka.RegistrarTTL(time.Second))),
		"RegistrarTTL(3.5s): want":                second(eureka.NewRegistrar(client, "web", eureka.RegistrarTTL(3500*time.Millisecond))),
		"RegistrarOnError: function":              second(eureka.NewRegistrar(client, "web", eureka.RegistrarOnError(nil))),
		"the list of options":                     second(eureka.NewRegistrar(client, "web", nil)),
		"at most 65536 are stored":                second(newRegistrar(t, client, "web").Register(t.Context(), sd.Instance{Address: strings.Repeat("a", 1<<16)})),
		"sd: register: the address is":            second(newRegistrar(t, client, "web").Register(t.Context(), sd.Instance{})),
	} {
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("want %q, have %v", want, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }
