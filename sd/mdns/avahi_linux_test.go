package mdns_test

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ashlar-go/ashlar/sd"
	"github.com/ashlar-go/ashlar/sd/mdns"
)

const dbusConfig = `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>system</type><listen>unix:path=BUS</listen><auth>EXTERNAL</auth><policy context="default">
<allow user="*"/><allow own="*"/><allow send_type="method_call"/><allow send_type="signal"/>
<allow send_requested_reply="true" send_type="method_return"/><allow send_requested_reply="true" send_type="error"/>
<allow receive_type="method_call"/><allow receive_type="signal"/><allow receive_type="method_return"/><allow receive_type="error"/>
</policy></busconfig>`

const avahiConfig = `[server]
host-name=tester
use-ipv6=no
allow-interfaces=avahi0
[publish]
publish-workstation=no
`

// avahi is an avahi-daemon, another implementation of multicast DNS, on an interface of its own.
type avahi struct {
	t   *testing.T
	bus string
}

func startAvahi(t *testing.T) *avahi {
	t.Helper()
	if os.Getenv(isolatedBy) != byRoot {
		notTested(t, "avahi-daemon takes root, and a network of the tests' own")
	}
	needs(t, "avahi-daemon", "avahi-browse", "avahi-publish", "dbus-daemon", "unshare")
	addInterface(t, "avahi0", "198.51.100.1/24")

	dir := t.TempDir()
	a := &avahi{t: t, bus: filepath.Join(dir, "bus")}
	bus, daemon := filepath.Join(dir, "dbus.conf"), filepath.Join(dir, "avahi.conf")
	for name, text := range map[string]string{bus: strings.ReplaceAll(dbusConfig, "BUS", a.bus), daemon: avahiConfig} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	a.start(t.Context(), "dbus-daemon", "--config-file="+bus, "--nofork", "--nopidfile")
	await(t, "the bus", func() bool { _, err := os.Stat(a.bus); return err == nil })
	const run = "mkdir -p /run/avahi-daemon && mount -t tmpfs avahi /run/avahi-daemon && " // so that there may be others
	a.start(t.Context(), "unshare", "-m", "sh", "-c", run+`exec avahi-daemon -f "$0" --no-drop-root --no-chroot --no-rlimits`, daemon)
	await(t, "avahi-daemon", func() bool { return a.command(t.Context(), "avahi-browse", "-at").Run() == nil })
	return a
}

// await waits until f returns true.
func await(t *testing.T, what string, f func() bool) {
	t.Helper()
	tick, limit := time.NewTicker(50*time.Millisecond), time.After(patience)
	defer tick.Stop()
	for !f() {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("%s does not answer", what)
		}
	}
}

// command ends properly with ctx.
func (a *avahi) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), "DBUS_SYSTEM_BUS_ADDRESS=unix:path="+a.bus)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 5 * time.Second
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return cmd
}

// start starts a program until ctx ends, and returns the lines that it writes.
func (a *avahi) start(ctx context.Context, name string, args ...string) (lines <-chan string, stop func()) {
	a.t.Helper()
	ctx, cancel := context.WithCancel(ctx)
	cmd := a.command(ctx, name, args...)
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		a.t.Fatal(err)
	}
	text, done := make(chan string, 1000), make(chan struct{})
	go func() {
		defer close(done)
		for s := bufio.NewScanner(out); s.Scan(); {
			text <- s.Text()
		}
		_ = cmd.Wait()
	}()
	stop = func() {
		cancel()
		<-done
	}
	a.t.Cleanup(stop)
	return text, stop
}

// line waits for a line that has all of the texts.
func line(t *testing.T, lines <-chan string, texts ...string) {
	t.Helper()
	limit := time.After(patience)
	var have []string
	for {
		select {
		case l := <-lines:
			have = append(have, l)
			found := true
			for _, text := range texts {
				found = found && strings.Contains(l, text)
			}
			if found {
				return
			}
		case <-limit:
			t.Fatalf("want a line with %q, have %q", texts, have)
		}
	}
}

// TestAvahi does not run beside other tests: it changes the interfaces.
func TestAvahi(t *testing.T) { //nolint:paralleltest // see above
	a := startAvahi(t)
	const service = "shop-orders"
	w := watchOn(t, service, mdns.InstancerInterfaces("avahi0"))
	_, unpublish := a.start(t.Context(), "avahi-publish", "-s", "Mason's Yard", "_"+service+"._tcp", "8080", "path=/x", "blue")
	set := w.AwaitAddresses("198.51.100.1:8080")
	theirs := sd.Instance{ID: "Mason's Yard", Address: "198.51.100.1:8080", Tags: []string{"blue"}, Metadata: map[string]string{"path": "/x"}}
	if !set[0].Equal(theirs) {
		t.Errorf("want %+v, have %+v", theirs, set[0])
	}

	seen, _ := a.start(t.Context(), "avahi-browse", "-rp", "_"+service+"._tcp")
	line(t, seen, "=;", "Mason", ";8080;")
	r, err := mdns.NewRegistrar(service, mdns.RegistrarInterfaces("avahi0"))
	if err != nil {
		t.Fatal(err)
	}
	ours := sd.Instance{ID: "a.b", Address: "198.51.100.1:9090", Weight: 3, Zone: "eu"}
	deregister, err := r.Register(t.Context(), ours)
	if err != nil {
		t.Fatal(err)
	}
	line(t, seen, "=;avahi0;IPv4;a\\0372Eb;_"+service+"._tcp;local;ip-198-51-100-1.local;198.51.100.1;9090;", `"zone=eu"`, `"ashlar=1"`)
	w.AwaitAddresses("198.51.100.1:8080", "198.51.100.1:9090")
	if types, err := a.command(t.Context(), "avahi-browse", "-atp").Output(); err != nil || !strings.Contains(string(types), "_"+service+"._tcp") {
		t.Errorf("want the type among all types, have %s, %v", types, err)
	}
	if err := deregister(t.Context()); err != nil {
		t.Fatal(err)
	}
	line(t, seen, "-;avahi0;IPv4;a\\0372Eb;")
	w.AwaitAddresses("198.51.100.1:8080")
	unpublish()
	w.AwaitAddresses()
}
