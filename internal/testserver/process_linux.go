package testserver

import (
	"bytes"
	"os"
	"strconv"
	"syscall"
)

// ownGroup keeps a Ctrl-C from the process, and ends it when the tests die.
func ownGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// suspended reports whether all threads of the process have come to a halt after SIGSTOP, which takes a moment on a busy machine.
func suspended(pid int) bool {
	tasks := "/proc/" + strconv.Itoa(pid) + "/task"
	threads, err := os.ReadDir(tasks)
	for _, thread := range threads {
		stat, statErr := os.ReadFile(tasks + "/" + thread.Name() + "/stat") //nolint:gosec // of the kernel
		if statErr != nil {
			return false
		}
		_, state, _ := bytes.Cut(stat, []byte(") ")) // what is before it may be any text
		if len(state) == 0 || state[0] != 'T' {
			return false
		}
	}
	return err == nil
}
