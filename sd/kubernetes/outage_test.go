package kubediscovery_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ashlar-go/ashlar/internal/testserver"
	"github.com/ashlar-go/ashlar/sd/internal/watchtest"
	kubediscovery "github.com/ashlar-go/ashlar/sd/kubernetes"
)

func testConnectionsThatAreCut(at here) {
	t, c := at.t, at.cluster
	proxy := testserver.StartProxy(t, strings.TrimPrefix(c.URL, "https://"))
	through := *c
	through.Kubernetes = &testserver.Kubernetes{URL: "https://" + proxy.Address, CAFile: c.CAFile}
	client, _ := through.client(t, c.Admin)
	i, err := kubediscovery.NewInstancer(client.DiscoveryV1(), "cut")
	if err != nil {
		t.Fatal(err)
	}
	c.put(t, slice("cut", "cut-a", endpoint("10.0.0.1")))
	o := observe(t, i)
	o.addresses("10.0.0.1:80")
	proxy.Cut()
	t.Log(o.Fails())
	c.put(t, slice("cut", "cut-a", endpoint("10.0.0.2"))) // while nothing is seen
	proxy.Restore()
	watchtest.WantAddresses(t, o.Back(), "10.0.0.2:80") // what is there now
}

// endLimit is how long a watch may take to end.
const endLimit = 5 * time.Second

func testAnAPIServerThatHangs(at here) {
	t, c := at.t, at.cluster
	o := observe(t, c.instancer(t, "hang"))
	o.addresses()
	c.Suspend()
	defer c.Resume()
	watchtest.Within(t, endLimit, "the end of a watch that is established", o.End)
	begun := time.Now()
	asking := observe(t, c.instancer(t, "hang"))
	if err := asking.Fails(); !strings.Contains(err.Error(), "has not answered within 15s") {
		t.Errorf("want an error that says so, have %v", err)
	}
	if took := time.Since(begun); took < kubediscovery.RequestLimit || took > 2*kubediscovery.RequestLimit {
		t.Errorf("want an error after 15 s, have one after %v", took)
	}
	watchtest.Within(t, endLimit, "the end of a watch that asks", asking.End)
	waiting := observe(t, c.instancer(t, "hang"))
	c.Resume()
	waiting.addresses()
}

func TestWhatIsNoLongerStoredIsListedAgainWithoutAnError(t *testing.T) {
	t.Parallel()
	c := startCluster(t, "--watch-cache=false") // watches are those of etcd
	c.put(t, slice("orders", "orders-a", endpoint("10.0.0.1")))
	client, counts := c.client(t, c.Admin)
	i, err := kubediscovery.NewInstancer(client.DiscoveryV1(), "orders")
	if err != nil {
		t.Fatal(err)
	}
	i.SetLimits(4*time.Second, kubediscovery.PageSize)
	o := observe(t, i)
	o.addresses("10.0.0.1:80")
	for deadline := time.Now().Add(patience); counts.lists.Load() == 1; <-time.After(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("want another list")
		}
		c.compact(t) // again and again, so that it is between two watches
	}
	c.put(t, slice("orders", "orders-a", endpoint("10.0.0.2")))
	o.addresses("10.0.0.2:80")
}

// compact writes something else, and then makes etcd forget all that was before it.
func (c *cluster) compact(t *testing.T) {
	t.Helper()
	other := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{GenerateName: "other-"}}
	made, err := c.admin.CoreV1().ConfigMaps("default").Create(t.Context(), other, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	c.etcd(t, "/v3/kv/compaction", map[string]any{"revision": made.ResourceVersion, "physical": true})
}

// etcd calls the store.
func (c *cluster) etcd(t *testing.T, path string, body map[string]any) {
	t.Helper()
	data, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+c.Etcd.Endpoint+path, strings.NewReader(string(data)))
	if err != nil {
		t.Fatal(err)
	}
	request.Close = true
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if text, err := io.ReadAll(response.Body); err != nil || response.StatusCode != http.StatusOK {
		t.Fatal(fmt.Errorf("%s: HTTP %d: %s, %w", path, response.StatusCode, text, err))
	}
}
