// Package contest is the half of a measurement that runs inside each contestant's process: it serves or calls, and tells the
// harness over standard input and output what that has cost.
package contest

import (
	"fmt"
	"runtime"
	"syscall"
	"time"
)

// Usage is what a process has spent since it began.
type Usage struct {
	CPU     time.Duration // of all threads, in user and kernel mode
	User    time.Duration // the part of CPU in user mode; the system tells it less exactly than the sum
	Mallocs uint64        // heap objects allocated
	Bytes   uint64        // heap bytes allocated
}

// Sub returns what was spent between earlier and u.
func (u Usage) Sub(earlier Usage) Usage {
	return Usage{CPU: u.CPU - earlier.CPU, User: u.User - earlier.User, Mallocs: u.Mallocs - earlier.Mallocs, Bytes: u.Bytes - earlier.Bytes}
}

func usage() (Usage, error) {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		return Usage{}, fmt.Errorf("getrusage: %w", err)
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	user, system := time.Duration(r.Utime.Nano()), time.Duration(r.Stime.Nano())
	return Usage{CPU: user + system, User: user, Mallocs: m.Mallocs, Bytes: m.TotalAlloc}, nil
}
