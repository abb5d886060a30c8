package natsdiscovery_test

import (
	"testing"

	"github.com/nats-io/nats.go"

	"github.com/ashlar-go/ashlar/internal/testserver"
	"github.com/ashlar-go/ashlar/sd"
	"github.com/ashlar-go/ashlar/sd/internal/watchtest"
)

// These are the permissions of docs/sd-nats.md.
const users = `authorization: {users: [
	{user: watch, password: x, permissions: {publish: ["$SRV.INFO.orders"], subscribe: ["_INBOX.>", "ashlar.sd.orders"]}}
	{user: register, password: x, permissions: {publish: ["_INBOX.>", "ashlar.sd.orders"], subscribe: ["$SRV.>"]}}
	{user: silent, password: x, permissions: {publish: ["_INBOX.>"], subscribe: ["$SRV.>"]}}
]}`

func TestThePermissionsOfTheDocumentationSuffice(t *testing.T) {
	t.Parallel()
	server := testserver.StartNATS(t, users)
	as := func(user string) *nats.Conn {
		t.Helper()
		return connect(t, server.URL, nats.UserInfo(user, "x"), nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			if user != "silent" {
				t.Errorf("%s: %v", user, err)
			}
		}))
	}
	w := watchtest.Start(t, newInstancer(t, as("watch"), often()))
	watchtest.WantAddresses(t, w.Set())
	deregister := register(t, as("register"), sd.Instance{Address: "10.0.0.1:80"})
	watchtest.WantAddresses(t, w.Set(), "10.0.0.1:80")
	register(t, as("silent"), sd.Instance{Address: "10.0.0.2:80"}) // it is seen in the next round
	watchtest.WantAddresses(t, w.Set(), "10.0.0.1:80", "10.0.0.2:80")
	deregister()
	watchtest.WantAddresses(t, w.Set(), "10.0.0.2:80")
}
