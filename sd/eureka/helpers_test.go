package eureka_test

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ashlar-go/ashlar/sd"
	"github.com/ashlar-go/ashlar/sd/eureka"
	"github.com/ashlar-go/ashlar/sd/internal/watchtest"
)

// newClient returns a client of the servers, with connections of its own that end with the test.
func newClient(t *testing.T, servers ...string) *eureka.Client {
	t.Helper()
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	client, err := eureka.NewClient(&http.Client{Transport: transport}, servers)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func newInstancer(t *testing.T, client *eureka.Client, service string, opts ...eureka.InstancerOption) *eureka.Instancer {
	t.Helper()
	opts = append([]eureka.InstancerOption{eureka.InstancerInterval(200 * time.Millisecond)}, opts...)
	instancer, err := eureka.NewInstancer(client, service, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return instancer
}

func newRegistrar(t *testing.T, client *eureka.Client, service string, opts ...eureka.RegistrarOption) sd.Registrar {
	t.Helper()
	opts = append([]eureka.RegistrarOption{eureka.RegistrarTTL(3 * time.Second)}, opts...)
	registrar, err := eureka.NewRegistrar(client, service, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return watchtest.Track(t, registrar)
}

// send sends a request as others do, without this package, and returns the status of the answer.
func send(t *testing.T, method, url, body string) int {
	t.Helper()
	status, err := trySend(t.Context(), method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	return status
}

func trySend(ctx context.Context, method, url, body string) (int, error) {
	request, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return 0, err
	}
	request.Close = true // no connection stays
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err
	}
	return response.StatusCode, response.Body.Close()
}

// info returns an instance as others register it, with what more says instead of the usual.
func info(app, id string, more ...string) string {
	fields := map[string]string{
		"instanceId": strconv.Quote(id), "hostName": `"10.0.0.9"`, "app": strconv.Quote(app), "ipAddr": `"10.0.0.9"`, "vipAddress": strconv.Quote(app),
		"status": `"UP"`, "port": `{"$":80,"@enabled":"true"}`, "securePort": `{"$":443,"@enabled":"false"}`,
		"dataCenterInfo": `{"@class":"com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo","name":"MyOwn"}`,
	}
	for n := 0; n < len(more); n += 2 {
		fields[more[n]] = more[n+1]
	}
	var list []string
	for name, value := range fields {
		list = append(list, strconv.Quote(name)+":"+value)
	}
	return `{"instance":{` + strings.Join(list, ",") + `}}`
}
