package mdns_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ashlar-go/ashlar/sd"
	"github.com/ashlar-go/ashlar/sd/mdns"
)

const (
	processID  = "MDNS_TEST_ID"          // makes the test binary a process with that ID
	processTTL = 3 * time.Second         // of what it announces
	patience   = 20 * time.Second        // on a busy machine
	soon       = 1500 * time.Millisecond // is less than the TTL, and enough on a busy machine
)

// process announces an instance, and prints the IDs of each set that it sees, until it is told to end.
func process(id string) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	r, err := mdns.NewRegistrar("processes", mdns.RegistrarTTL(processTTL))
	if err != nil {
		return err
	}
	deregister, err := r.Register(context.Background(), sd.Instance{ID: id, Address: "127.0.0.1:1" + id})
	if err != nil {
		return err
	}
	i, err := mdns.NewInstancer("processes")
	if err != nil {
		return err
	}
	for set, err := range i.Watch(ctx) {
		if err != nil {
			return err
		}
		fmt.Println(strings.Join(idsOf(set), " "))
	}
	return deregister(context.Background())
}

func idsOf(set []sd.Instance) []string {
	ids := make([]string, len(set))
	for n, i := range set {
		ids[n] = i.ID
	}
	return ids
}

// child is a process with an instance of its own.
type child struct {
	id   string
	cmd  *exec.Cmd
	sets chan string
}

func startChild(t *testing.T, id string) *child {
	t.Helper()
	c := &child{id: id, cmd: exec.Command(os.Args[0]), sets: make(chan string, 100)}
	c.cmd.Env = append(os.Environ(), processID+"="+id)
	c.cmd.Stderr = os.Stderr
	out, err := c.cmd.StdoutPipe()
	if err == nil {
		err = c.cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			c.sets <- lines.Text()
		}
	}()
	t.Cleanup(func() {
		_ = c.cmd.Process.Kill()
		<-done
		_ = c.cmd.Wait()
	})
	return c
}

// want waits until the child sees the IDs, and returns how long that took.
func (c *child) want(t *testing.T, ids ...string) time.Duration {
	t.Helper()
	began := time.Now()
	limit := time.After(patience)
	var last string
	for {
		select {
		case last = <-c.sets:
			if slices.Equal(strings.Fields(last), ids) {
				return time.Since(began)
			}
		case <-limit:
			t.Fatalf("process %s: want %v, have %q", c.id, ids, last)
		}
	}
}

func TestProcessesFindEachOther(t *testing.T) {
	t.Parallel()
	children := []*child{startChild(t, "a1"), startChild(t, "b2"), startChild(t, "c3")}
	i, err := mdns.NewInstancer("processes")
	if err != nil {
		t.Fatal(err)
	}
	self := &child{id: "self", sets: make(chan string, 100)}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for set, err := range i.Watch(ctx) {
			if err != nil {
				t.Error(err)
			}
			self.sets <- strings.Join(idsOf(set), " ")
		}
	}()
	defer func() {
		cancel()
		<-done
	}()
	for _, c := range append(children, self) {
		c.want(t, "a1", "b2", "c3")
	}

	if err := children[0].cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	for _, c := range []*child{children[1], children[2], self} {
		if took := c.want(t, "b2", "c3"); took > soon {
			t.Errorf("process %s: want one that ends properly gone at once, have %v", c.id, took)
		}
	}

	began := time.Now()
	if err := children[1].cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	children[2].want(t, "c3")
	self.want(t, "c3")
	if took := time.Since(began); took < processTTL/3 || took > processTTL+soon {
		t.Errorf("want one that was killed gone when its TTL of %v is over, which is from half of it on, have %v", processTTL, took)
	}
	back := startChild(t, "b2")
	for _, c := range []*child{children[2], self, back} {
		c.want(t, "b2", "c3")
	}
}
