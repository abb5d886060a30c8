package testserver

import "syscall"

// ownGroup keeps a Ctrl-C from the process, and ends it when the tests die.
func ownGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
