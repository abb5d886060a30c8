package mdns_test

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

const isolatedBy = "MDNS_TEST_NETWORK" // is set in the process with a network of its own, to one of these

const (
	byRoot = "root" // it is root outside too
	byUser = "user" // it is root there alone
)

// isolated runs the tests again in a process with a network of its own, and returns its exit code; or not ok, when this is that process, or
// there can be none.
func isolated() (code int, ok bool) {
	if os.Getenv(isolatedBy) != "" {
		if err := setLoopback(true); err != nil {
			fmt.Fprintln(os.Stderr, "loopback of the network of the tests:", err)
			return 1, true
		}
		return 0, false
	}
	runtime.LockOSThread() // the end of which would end the process
	user := &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
		Pdeathsig:   syscall.SIGKILL,
	}
	cmd, err := again(byRoot, &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL})
	if err != nil {
		cmd, err = again(byUser, user)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "*** no network of its own for the tests of sd/mdns: %v\n", err)
		return 0, false
	}
	_ = cmd.Wait() // the exit code says it
	return cmd.ProcessState.ExitCode(), true
}

// again starts the tests again.
func again(by string, attr *syscall.SysProcAttr) (*exec.Cmd, error) {
	cmd := exec.Command(os.Args[0], os.Args[1:]...)
	cmd.Env = append(os.Environ(), isolatedBy+"="+by)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = attr
	return cmd, cmd.Start()
}

// outage takes the only interface down, and returns what brings it up again. It skips the test where that is not allowed.
func outage(t *testing.T) func() (restore func() error, err error) {
	t.Helper()
	if os.Getenv(isolatedBy) == "" {
		const text = "the tests have no network of their own, and cannot take its interface down"
		if os.Getenv("CI") == "true" {
			t.Fatal(text)
		}
		t.Log("*** not tested: " + text)
		return nil
	}
	return func() (func() error, error) {
		return func() error { return setLoopback(true) }, setLoopback(false)
	}
}

// setLoopback brings loopback up or takes it down.
func setLoopback(up bool) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	request, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	if err := unix.IoctlIfreq(fd, unix.SIOCGIFFLAGS, request); err != nil {
		return err
	}
	flags := request.Uint16() &^ unix.IFF_UP
	if up {
		flags |= unix.IFF_UP
	}
	request.SetUint16(flags)
	return unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, request)
}
