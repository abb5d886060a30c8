//go:build !linux

package mdns_test

import "testing"

// isolated is not ok: only Linux has networks of processes.
func isolated() (code int, ok bool) { return 0, false }

func outage(*testing.T) func() (restore func() error, err error) { return nil }
