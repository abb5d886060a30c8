package testserver

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const (
	selfReady   = "ASHLAR_TESTSERVER_READY"   // the path of the file by which the parent learns of the address
	selfAddress = "ASHLAR_TESTSERVER_ADDRESS" // where it was before
)

// Self is the program of the tests as another process, in which its TestMain is a server. It keeps its address when it is stopped or killed
// and started again.
type Self struct {
	*Process

	// Address is what it has told by Serving.
	Address string

	env   []string
	ready string
}

// StartSelf starts the program of the tests again, with these variables in its environment, each as "NAME=value", by which TestMain knows
// what to be. It waits until that has called Serving.
func StartSelf(t testing.TB, name string, env ...string) *Self {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	s := &Self{env: env, ready: filepath.Join(dir, "ready")}
	s.Process = newProcess(t, name, dir, []string{program}, s.serves)
	s.Start()
	return s
}

// Start starts it again, at the same address.
func (s *Self) Start() {
	s.t.Helper()
	s.Process.env = slices.Concat(s.env, []string{selfReady + "=" + s.ready, selfAddress + "=" + s.Address})
	if os.Getenv("GORACE") == "" {
		s.Process.env = append(s.Process.env, "GORACE=atexit_sleep_ms=0") // the race detector's default is a second
	}
	s.Process.Start()
}

// serves looks for what Serving wrote.
func (s *Self) serves(context.Context) error {
	text, err := os.ReadFile(s.ready)
	if err != nil {
		return err
	}
	pid, address, _ := strings.Cut(string(text), " ")
	if pid != strconv.Itoa(s.cmd.Process.Pid) { // it is that of the process before
		return errors.New("it has not said so")
	}
	s.Address = address
	return nil
}

// Address returns in a process of StartSelf the address that it had before, or else otherwise.
func Address(otherwise string) string {
	if before := os.Getenv(selfAddress); before != "" {
		return before
	}
	return otherwise
}

// Serving says in a process of StartSelf that it serves, and where.
func Serving(address string) error {
	path := os.Getenv(selfReady)
	part := path + ".part"
	err := os.WriteFile(part, fmt.Appendf(nil, "%d %s", os.Getpid(), address), 0o600) //nolint:gosec // of the parent
	if err != nil {
		return err
	}
	return os.Rename(part, path) //nolint:gosec // of the parent, too, which never reads half of it
}
