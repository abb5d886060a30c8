package testserver

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	startLimit = 30 * time.Second      // on a busy machine
	probeEvery = 10 * time.Millisecond // while a server starts
	probeLimit = 2 * time.Second       // for one answer
	stopLimit  = 10 * time.Second      // from SIGTERM to SIGKILL
	logTail    = 4 << 10               // bytes of its log that a failed test shows
)

// Process is a child process that serves a test. Its methods are for one goroutine at a time.
type Process struct {
	t     testing.TB
	name  string
	args  []string // the program and its arguments
	env   []string // besides that of the tests
	ready func(ctx context.Context) error
	log   string // the path of what it wrote
	cmd   *exec.Cmd
	done  chan struct{} // closed when the process has ended; nil before the first start
}

// newProcess returns a process that is not started yet, and is ended with the test. Ready fails until the server serves.
func newProcess(t testing.TB, name, dir string, args []string, ready func(ctx context.Context) error) *Process {
	t.Helper()
	p := &Process{t: t, name: name, args: args, ready: ready, log: filepath.Join(dir, name+".log")}
	t.Cleanup(func() {
		p.Stop()
		if t.Failed() {
			t.Logf("the log of %s ends in:\n%s", name, p.tail())
		}
	})
	return p
}

// Start starts the process, for the first time or after it was ended, and waits until it serves.
func (p *Process) Start() {
	p.t.Helper()
	if err := p.start(); err != nil {
		p.t.Fatalf("testserver: %s: %v\n%s", p.name, err, p.tail())
	}
}

func (p *Process) start() error {
	if p.running() {
		return errors.New("it runs already")
	}
	log, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()                             // the child has its own
	cmd := exec.Command(p.args[0], p.args[1:]...) //nolint:gosec,noctx // a program of the tests, which Stop ends
	cmd.Stdout, cmd.Stderr = log, log
	cmd.Env = append(os.Environ(), p.env...)
	cmd.SysProcAttr = ownGroup()
	if err := cmd.Start(); err != nil {
		return err
	}
	done := make(chan struct{})
	p.cmd, p.done = cmd, done
	go func() {
		defer close(done)
		_ = cmd.Wait() // how it ended is seen by what it left undone
	}()
	return p.await()
}

// await waits until the process serves.
func (p *Process) await() error {
	limit := time.NewTimer(startLimit)
	defer limit.Stop()
	probes := time.NewTicker(probeEvery)
	defer probes.Stop()
	for {
		err := p.probe()
		if err == nil {
			return nil
		}
		select {
		case <-p.done:
			return fmt.Errorf("it ended with %v", p.cmd.ProcessState)
		case <-limit.C:
			return fmt.Errorf("it does not serve after %v: %w", startLimit, err)
		case <-probes.C:
		}
	}
}

func (p *Process) probe() error {
	ctx, cancel := context.WithTimeout(context.Background(), probeLimit)
	defer cancel()
	return p.ready(ctx)
}

// Stop ends the process as an operator does, and waits for its end. Without one that runs it does nothing.
func (p *Process) Stop() {
	if !p.running() {
		return
	}
	p.Resume() // one that is suspended hears nothing
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	limit := time.NewTimer(stopLimit)
	defer limit.Stop()
	select {
	case <-p.done:
	case <-limit.C:
		p.Kill()
	}
}

// Kill ends the process as a crash does, and waits for its end.
func (p *Process) Kill() {
	if p.running() {
		_ = p.cmd.Process.Kill()
		<-p.done
	}
}

// Suspend makes the process hang: connections stay, and nothing is answered until Resume.
func (p *Process) Suspend() {
	p.signal(syscall.SIGSTOP)
	for p.running() && !suspended(p.cmd.Process.Pid) {
		time.Sleep(time.Millisecond)
	}
}

// Resume ends Suspend.
func (p *Process) Resume() { p.signal(syscall.SIGCONT) }

func (p *Process) signal(s os.Signal) {
	if p.running() {
		_ = p.cmd.Process.Signal(s)
	}
}

func (p *Process) running() bool {
	if p.done == nil {
		return false
	}
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

func (p *Process) tail() string {
	text, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	return strings.TrimSpace(string(text[max(0, len(text)-logTail):]))
}

const (
	// firstPort and lastPort bound what freePorts chooses from: below 32768, where Linux has the ports that it gives to outgoing connections
	// and to whoever listens on port 0, so that none of those takes the port of a server that is stopped and started again.
	firstPort, lastPort = 12000, 32000
	portAttempts        = 1000
)

// freePorts returns n ports on loopback that nobody listens on. Somebody may before they are used: whoever starts a server on them
// starts it again on others then.
func freePorts(t testing.TB, n int) []int {
	t.Helper()
	ports := make([]int, n)
	for i := range ports {
		listener, port := listenBelow(t)
		defer listener.Close() // when all are known, so that they differ
		ports[i] = port
	}
	return ports
}

// listenBelow listens on a port of loopback that is in nobody's way.
func listenBelow(t testing.TB) (listener net.Listener, port int) {
	t.Helper()
	var err error
	for range portAttempts {
		port = firstPort + rand.IntN(lastPort-firstPort) //nolint:gosec // that they differ is enough
		if listener, err = (&net.ListenConfig{}).Listen(context.Background(), "tcp", loopback(port)); err == nil {
			return listener, port
		}
	}
	t.Fatalf("testserver: no port from %d to %d is free: %v", firstPort, lastPort, err)
	return nil, 0
}
