package testserver_test

import (
	"io"
	"net/http"
	"testing"

	"github.com/ashlar-go/ashlar/internal/testserver"
)

// key asks the server for the key that it was asked to write when it started, and returns the answer's status.
func key(t *testing.T, s *testserver.Consul, name string) (int, error) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+s.Address+"/v1/kv/"+name, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Close = true
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body)
	return response.StatusCode, err
}

// put writes a key.
func put(t *testing.T, s *testserver.Consul, name string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPut, "http://"+s.Address+"/v1/kv/"+name, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Close = true
	response, err := http.DefaultClient.Do(request)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("writing a key: %v, %v", response, err)
	}
	if err := response.Body.Close(); err != nil {
		t.Error(err)
	}
}

func TestConsulKeepsWhatItKnowsUntilItForgets(t *testing.T) {
	t.Parallel()
	s := testserver.StartConsul(t)
	put(t, s, "kept")
	s.Kill()
	if status, err := key(t, s, "kept"); err == nil {
		t.Errorf("want no server, have HTTP %d", status)
	}
	s.Start()
	if status, err := key(t, s, "kept"); err != nil || status != http.StatusOK {
		t.Errorf("want the key, have HTTP %d, %v", status, err)
	}
	s.Stop()
	s.Forget()
	s.Start()
	if status, err := key(t, s, "kept"); err != nil || status != http.StatusNotFound {
		t.Errorf("want no key, have HTTP %d, %v", status, err)
	}
}
