package kubediscovery_test

import (
	"os"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/yaml"

	"github.com/ashlar-go/ashlar/sd/internal/watchtest"
	kubediscovery "github.com/ashlar-go/ashlar/sd/kubernetes"
)

func testRights(at here) {
	t, c := at.t, at.cluster
	client, _ := c.client(t, c.Nobody)
	i, err := kubediscovery.NewInstancer(client.DiscoveryV1(), "secret")
	if err != nil {
		t.Fatal(err)
	}
	o := observe(t, i)
	const least = 750 * time.Millisecond // half of 0.1, 0.2, 0.4 and 0.8 s between five
	begun := time.Now()
	for range 5 {
		if err := o.Fails(); !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), "default/secret") {
			t.Errorf("want that it is forbidden to list default/secret, have %v", err)
		}
	}
	if took := time.Since(begun); took < least {
		t.Errorf("want growing delays, have five errors in %v", took)
	}
}

func testAWatchThatIsNotAllowedIsNotRepeatedAtOnce(at here) {
	t, c := at.t, at.cluster
	subject := rbacv1.Subject{Kind: "User", Name: "lister", APIGroup: rbacv1.GroupName}
	role := &rbacv1.Role{
		ObjectMeta: metav1.ObjectMeta{Name: "list-only"},
		Rules:      []rbacv1.PolicyRule{{APIGroups: []string{"discovery.k8s.io"}, Resources: []string{"endpointslices"}, Verbs: []string{"list"}}},
	}
	binding := &rbacv1.RoleBinding{
		ObjectMeta: role.ObjectMeta, Subjects: []rbacv1.Subject{subject},
		RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: role.Name},
	}
	rbac := c.admin.RbacV1()
	if _, err := rbac.Roles("default").Create(t.Context(), role, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := rbac.RoleBindings("default").Create(t.Context(), binding, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	c.put(t, slice("listed", "listed-a", endpoint("10.0.0.1")))
	client, counts := c.client(t, c.Admin, func(config *rest.Config) { config.Impersonate.UserName = subject.Name })
	i, err := kubediscovery.NewInstancer(client.DiscoveryV1(), "listed")
	if err != nil {
		t.Fatal(err)
	}
	o := observe(t, i)
	var first bool // a set has come
	const (
		attempts = 6
		least    = 1500 * time.Millisecond // half of 0.1, 0.2, ... s between them
	)
	begun := time.Now()
	for counts.watches.Load() < attempts {
		e := o.Next()
		switch {
		case e.Err == nil && len(e.Set) == 1:
			first = true
		case first && apierrors.IsForbidden(e.Err) && strings.Contains(e.Err.Error(), "watch"):
		case first || !apierrors.IsForbidden(e.Err): // the server takes a moment to know the role
			t.Errorf("want one instance and errors that it is forbidden to watch, have %v, %v", e.Set, e.Err)
		}
	}
	o.End()
	if took := time.Since(begun); took < least {
		t.Errorf("want growing delays, have %d attempts in %v", attempts, took)
	}
}

// testManifest applies the manifest of the documentation, first as a dry run that refuses what is not known, and finds instances with
// what it grants.
func testManifest(at here) {
	t, c := at.t, at.cluster
	page, err := os.ReadFile("../../docs/sd-kubernetes.md")
	if err != nil {
		t.Fatal(err)
	}
	_, manifest, found := strings.Cut(string(page), "```yaml\n")
	manifest, _, ended := strings.Cut(manifest, "```\n")
	if !found || !ended {
		t.Fatal("want a manifest in the documentation")
	}
	shop := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "shop"}}
	if _, err := c.admin.CoreV1().Namespaces().Create(t.Context(), shop, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	for document := range strings.SplitSeq(manifest, "---\n") {
		c.apply(t, document, "All")
		c.apply(t, document)
	}
	s := slice("orders", "orders-a", endpoint("10.0.0.1"))
	if _, err := c.admin.DiscoveryV1().EndpointSlices("shop").Create(t.Context(), s, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	client, _ := c.client(t, c.Admin, func(config *rest.Config) { config.Impersonate.UserName = "system:serviceaccount:shop:storefront" })
	for namespace, want := range map[string]string{"shop": "10.0.0.1:80", "default": ""} {
		i, err := kubediscovery.NewInstancer(client.DiscoveryV1(), "orders", kubediscovery.InstancerNamespace(namespace))
		if err != nil {
			t.Fatal(err)
		}
		o := observe(t, i)
		e := o.Next()
		for n := 0; n < 10 && want != "" && apierrors.IsForbidden(e.Err); n++ { // the server takes a moment to know the role
			e = o.Next()
		}
		if have := strings.Join(watchtest.Addresses(e.Set), " "); have != want || want == "" && !apierrors.IsForbidden(e.Err) {
			t.Errorf("%s: want %q, have %q, %v", namespace, want, have, e.Err)
		}
	}
}

// apply does what kubectl apply --server-side --validate=strict does.
func (c *cluster) apply(t *testing.T, document string, dryRun ...string) {
	t.Helper()
	var object unstructured.Unstructured
	if err := yaml.Unmarshal([]byte(document), &object.Object); err != nil {
		t.Fatal(err)
	}
	client, resource := c.admin.RbacV1().RESTClient(), strings.ToLower(object.GetKind())+"s"
	if object.GetAPIVersion() == "v1" {
		client = c.admin.CoreV1().RESTClient()
	}
	request := client.Patch(types.ApplyPatchType).Namespace(object.GetNamespace()).Resource(resource).Name(object.GetName())
	for key, value := range map[string]string{"fieldManager": "test", "force": "true", "fieldValidation": metav1.FieldValidationStrict} {
		request.Param(key, value)
	}
	for _, run := range dryRun {
		request.Param("dryRun", run)
	}
	if err := request.Body([]byte(document)).Do(t.Context()).Error(); err != nil {
		t.Errorf("%s: %v", document, err)
	}
}
