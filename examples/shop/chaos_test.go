package main

import (
	"bytes"
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ashlar-go/ashlar/internal/testserver"
	"github.com/ashlar-go/ashlar/log"
	"github.com/ashlar-go/ashlar/sd"
)

// text is an output that several goroutines write to.
type text struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (t *text) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.b.Write(p)
}

func (t *text) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.b.String()
}

func TestNoCustomerSeesWhatHappensToInstances(t *testing.T) {
	t.Parallel()
	for kind, start := range map[string]func(t *testing.T) string{
		"static":    func(*testing.T) string { return "" },
		"nats":      func(*testing.T) string { return "" },
		"mdns":      func(*testing.T) string { return "" },
		"consul":    func(t *testing.T) string { t.Helper(); return testserver.StartConsul(t).Address },
		"zookeeper": func(t *testing.T) string { t.Helper(); return testserver.StartZooKeeper(t).Address },
		"eureka":    func(t *testing.T) string { t.Helper(); return testserver.StartEureka(t).URL },
		"etcd":      func(t *testing.T) string { t.Helper(); return testserver.StartEtcd(t).Endpoint },
	} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			var out text
			opts := options{
				addr: "127.0.0.1:0", load: 200, limit: 7 * time.Second, level: log.LevelError, registry: kind, registryAddr: start(t),
				chaos: 600 * time.Millisecond,
			}
			if err := run(t.Context(), opts, &out, t.Output()); err != nil {
				t.Fatal(err)
			}
			lines := strings.Split(strings.TrimSpace(out.String()), "\n")
			last := lines[len(lines)-1]
			if !regexp.MustCompile(`^ +[0-9.]+s( +failed_precondition/OUT_OF_STOCK \d+)? +ok \d+ +p50`).MatchString(last) {
				t.Errorf("want no error but of those who came too late, have %s", last)
			}
			for _, want := range []string{"is killed", "is back", "is replaced by"} {
				if have := strings.Contains(out.String(), want); have != (kind != "static" || want != "is replaced by") {
					t.Errorf("%q: have %v in\n%s", want, have, out.String())
				}
			}
		})
	}
}

// full is a registry that takes no more than so many instances.
type full struct{ free int }

var errFull = errors.New("the registry is full")

func (r *full) Register(context.Context, sd.Instance) (deregister func(context.Context) error, err error) {
	if r.free == 0 {
		return nil, errFull
	}
	r.free--
	return func(context.Context) error { return nil }, nil
}

// Nothing is left running when an instance cannot be announced, neither the new one nor the one that it was to replace.
func TestAnInstanceThatCannotBeAnnouncedReplacesNobody(t *testing.T) {
	t.Parallel()
	f := &fleet{name: "catalog", registrar: &full{free: 1}, logger: log.New(t.Output()), failed: make(failures, 1)}
	if err := f.start(); err != nil {
		t.Fatal(err)
	}
	before := f.addresses()
	var out text
	if err := f.chaos(t.Context(), time.Millisecond, &out); !errors.Is(err, errFull) {
		t.Errorf("want the registry's error, have %v", err)
	}
	if want, have := before, f.addresses(); !slices.Equal(want, have) {
		t.Errorf("want the instance that is announced, %v, have %v", want, have)
	}
	if err := f.close(); err != nil { // what was left running the leak check finds
		t.Error(err)
	}
}
