package watchtest

import (
	"bytes"
	"context"
	"crypto/rand"
	"runtime/pprof"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ashlar-go/ashlar/sd"
)

// tracked is a Registrar whose registrations the test waits for: what could not be withdrawn at first is tried again for a while, and
// needs the server.
type tracked struct {
	sd.Registrar

	name string // of its own
}

// Track returns the Registrar as one that is waited for before the servers are stopped that were started before.
func Track(t *testing.T, registrar sd.Registrar) sd.Registrar {
	t.Helper()
	r := tracked{registrar, rand.Text()}
	t.Cleanup(func() { r.await(t) })
	return r
}

func (r tracked) Register(ctx context.Context, instance sd.Instance) (deregister func(context.Context) error, err error) {
	pprof.Do(ctx, pprof.Labels("registrar", r.name), func(ctx context.Context) { deregister, err = r.Registrar.Register(ctx, instance) })
	return deregister, err
}

func (r tracked) await(t *testing.T) {
	t.Helper()
	limit, tick := time.NewTimer(Patience), time.NewTicker(20*time.Millisecond)
	defer limit.Stop()
	defer tick.Stop()
	for r.busy(t) {
		select {
		case <-tick.C:
		case <-limit.C:
			t.Error("a registration does not end")
			return
		}
	}
}

// busy says whether there is a goroutine that keeps a registration.
func (r tracked) busy(t *testing.T) bool {
	t.Helper()
	var profile bytes.Buffer
	if err := pprof.Lookup("goroutine").WriteTo(&profile, 1); err != nil {
		t.Fatal(err)
	}
	for stack := range strings.SplitSeq(profile.String(), "\n\n") {
		if strings.Contains(stack, r.name) && strings.Contains(stack, "driver.(*keeper).run") {
			return true
		}
	}
	return false
}

// Register registers an instance until the test ends, or the function that it returns is called.
func Register(t *testing.T, registrar sd.Registrar, instance sd.Instance) (deregister func()) {
	t.Helper()
	f, err := registrar.Register(context.WithoutCancel(t.Context()), instance)
	if err != nil {
		t.Fatal(err)
	}
	deregister = sync.OnceFunc(func() {
		if err := f(context.WithoutCancel(t.Context())); err != nil {
			t.Logf("deregistering: %v", err)
		}
	})
	t.Cleanup(deregister)
	return deregister
}
