package testserver_test

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"os"
	"testing"

	"github.com/ashlar-go/ashlar/internal/testserver"
)

func TestKubernetesServesAgainOnTheSamePortAndTellsUsersApart(t *testing.T) {
	t.Parallel()
	k := testserver.StartKubernetes(t)
	k.Stop()
	k.Start()
	data, err := os.ReadFile(k.CAFile)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(data)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}}
	for token, want := range map[string]int{k.Admin: http.StatusOK, k.Nobody: http.StatusForbidden, "nothing": http.StatusUnauthorized} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, k.URL+"/apis/discovery.k8s.io/v1/namespaces/default/endpointslices", nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Close = true
		request.Header.Set("Authorization", "Bearer "+token)
		response, err := client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != want {
			t.Errorf("want HTTP %d, have %d", want, response.StatusCode)
		}
	}
}
