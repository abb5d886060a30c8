package natskv_test

import (
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/ashlar-go/ashlar/internal/testserver"
	"github.com/ashlar-go/ashlar/sd"
	"github.com/ashlar-go/ashlar/sd/internal/watchtest"
)

// These are the permissions of docs/sd-natskv.md.
const users = `authorization: {users: [
	{user: admin, password: x}
	{user: watch, password: x, permissions: {subscribe: ["_INBOX.>"], publish: [
		"$JS.API.STREAM.INFO.KV_instances", "$JS.API.CONSUMER.CREATE.KV_instances.>", "$JS.API.CONSUMER.INFO.KV_instances.>",
		"$JS.API.CONSUMER.MSG.NEXT.KV_instances.>", "$JS.API.STREAM.MSG.GET.KV_instances"]}}
	{user: register, password: x, permissions: {subscribe: ["_INBOX.>"], publish: [
		"$JS.API.STREAM.INFO.KV_instances", "$JS.API.DIRECT.GET.KV_instances.>", "$KV.instances.orders.>"]}}
]}`

func TestThePermissionsOfTheDocumentationSuffice(t *testing.T) {
	t.Parallel()
	server := testserver.StartNATS(t, users)
	as := func(user string) jetstream.JetStream {
		t.Helper()
		return connect(t, server.URL, nats.UserInfo(user, "x"), nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			t.Errorf("%s: %v", user, err)
		}))
	}
	bucket := makeBucket(t, as("admin"), 1)
	w := watchtest.Start(t, newInstancer(t, as("watch")))
	watchtest.WantAddresses(t, w.Set())
	deregister := register(t, as("register"), sd.Instance{Address: "10.0.0.1:80"})
	watchtest.WantAddresses(t, w.Set(), "10.0.0.1:80")
	if err := bucket.Purge(t.Context(), key(service, "10.0.0.1:80")); err != nil {
		t.Fatal(err)
	}
	watchtest.WantAddresses(t, w.Set())
	watchtest.WantAddresses(t, w.Set(), "10.0.0.1:80") // which it reads for
	deregister()
	watchtest.WantAddresses(t, w.Set())
}
