package testserver_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/ashlar-go/ashlar/internal/testserver"
)

const instance = `{"instance":{"instanceId":"1","hostName":"h","app":"web","ipAddr":"10.0.0.1","vipAddress":"web","status":"UP",
"port":{"$":80,"@enabled":"true"},"lastDirtyTimestamp":"100","leaseInfo":{"durationInSecs":1},
"dataCenterInfo":{"@class":"com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo","name":"MyOwn"}}}`

// ask sends a request to the server, and returns its status and body.
func ask(t *testing.T, s *testserver.Eureka, method, path, body string) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, s.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Close = true
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

func TestEurekaIsStrict(t *testing.T) {
	t.Parallel()
	s := testserver.StartEureka(t)
	for _, missing := range []string{
		`"instanceId":"1",`, `"hostName":"h",`, `"app":"web",`, `"ipAddr":"10.0.0.1",`, `"vipAddress":"web",`, `"status":"UP",`, `,"name":"MyOwn"`,
	} {
		if status, text := ask(t, s, http.MethodPost, "/apps/WEB", strings.Replace(instance, missing, "", 1)); status != http.StatusBadRequest {
			t.Errorf("without %s: want HTTP 400, have %d %s", missing, status, text)
		}
	}
	if status, _ := ask(t, s, http.MethodPost, "/apps/OTHER", instance); status != http.StatusBadRequest {
		t.Errorf("under another name: want HTTP 400, have %d", status)
	}
}

func TestEurekaFollowsTheTimeStamps(t *testing.T) {
	t.Parallel()
	s := testserver.StartEureka(t)
	for n, step := range []struct {
		method, path, body string
		want               int
		text               string
	}{
		{http.MethodGet, "/apps/WEB", "", http.StatusNotFound, ""},
		{http.MethodPut, "/apps/WEB/1", "", http.StatusNotFound, ""},
		{http.MethodDelete, "/apps/WEB/1", "", http.StatusNotFound, ""},
		{http.MethodPost, "/apps/web", instance, http.StatusNoContent, ""},
		{http.MethodPost, "/apps/WEB", strings.NewReplacer("100", "99", `"h"`, `"older"`).Replace(instance), http.StatusNoContent, ""},
		{http.MethodGet, "/apps/WEB/1", "", http.StatusOK, `"hostName":"h"`},
		{http.MethodPut, "/apps/WEB/1?lastDirtyTimestamp=99", "", http.StatusOK, ""},
		{http.MethodPut, "/apps/WEB/1?lastDirtyTimestamp=101", "", http.StatusNotFound, ""},
		{http.MethodPost, "/apps/WEB", strings.NewReplacer("100", "101", `"h"`, `"newer"`).Replace(instance), http.StatusNoContent, ""},
		{http.MethodGet, "/apps/WEB/1", "", http.StatusOK, `"hostName":"newer"`},
		{http.MethodPut, "/apps/WEB/1/status?value=OUT_OF_SERVICE", "", http.StatusOK, ""},
		{http.MethodGet, "/apps/WEB/1", "", http.StatusOK, `"status":"OUT_OF_SERVICE"`},
		{http.MethodDelete, "/apps/WEB/1/status", "", http.StatusOK, ""},
		{http.MethodPut, "/apps/WEB/1", "", http.StatusNotFound, ""},
		{http.MethodGet, "/apps", "", http.StatusOK, `"name":"WEB"`},
		{http.MethodDelete, "/apps/WEB/1", "", http.StatusOK, ""},
		{http.MethodGet, "/apps/WEB/1", "", http.StatusNotFound, ""},
	} {
		if status, text := ask(t, s, step.method, step.path, step.body); status != step.want || !strings.Contains(text, step.text) {
			t.Errorf("step %d, %s %s: want HTTP %d and %s, have %d %s", n, step.method, step.path, step.want, step.text, status, text)
		}
	}
}

func TestEurekaForgetsWithoutALeaseAndWhenItIsStopped(t *testing.T) {
	t.Parallel()
	s := testserver.StartEureka(t)
	ask(t, s, http.MethodPost, "/apps/WEB", instance)
	for status := 0; status != http.StatusNotFound; {
		status, _ = ask(t, s, http.MethodGet, "/apps/WEB/1", "")
	}
	ask(t, s, http.MethodPost, "/apps/WEB", instance)
	s.Stop()
	s.Start()
	if status, _ := ask(t, s, http.MethodGet, "/apps/WEB/1", ""); status != http.StatusNotFound {
		t.Errorf("want HTTP 404, have %d", status)
	}
	s.SingleAsObject()
	ask(t, s, http.MethodPost, "/apps/WEB", instance)
	if _, text := ask(t, s, http.MethodGet, "/apps/WEB", ""); !strings.Contains(text, `"instance":{`) || !strings.Contains(text, `"lastDirtyTimestamp":100`) {
		t.Errorf("want the forms of XStream, have %s", text)
	}
}
