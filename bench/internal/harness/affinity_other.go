//go:build !linux

package harness

import "errors"

var errPin = errors.New("processors can be chosen on Linux only: use -pin=false")

func onCPU(cpu int, start func() error) error {
	if cpu < 0 {
		return start()
	}
	return errPin
}

func pin(int) error { return errPin }
