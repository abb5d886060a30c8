//go:build unix

package processor

import (
	"syscall"
	"time"
)

// process returns how long the process has used the processors.
func process() (used, possible time.Duration, err error) {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		return 0, 0, err
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano()), 0, nil
}
