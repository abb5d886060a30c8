//go:build !linux

package testserver

import "syscall"

func ownGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{} }
