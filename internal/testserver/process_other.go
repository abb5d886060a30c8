//go:build !linux

package testserver

import "syscall"

func ownGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{} }

// suspended cannot be told here.
func suspended(int) bool { return true }
