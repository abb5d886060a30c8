package harness

import (
	"fmt"
	"os"
	"runtime"
	"strconv"

	"golang.org/x/sys/unix"
)

// onCPU calls start so that a process started by it runs on the given processor alone; a negative one means anywhere.
func onCPU(cpu int, start func() error) error {
	if cpu < 0 {
		return start()
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var before unix.CPUSet
	if err := unix.SchedGetaffinity(0, &before); err != nil {
		return fmt.Errorf("sched_getaffinity: %w", err)
	}
	if err := pinThread(0, cpu); err != nil {
		return err
	}
	defer unix.SchedSetaffinity(0, &before)
	return start()
}

// pin moves this process to the given processor.
func pin(cpu int) error {
	runtime.GOMAXPROCS(1)
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return err
	}
	for _, t := range threads {
		id, err := strconv.Atoi(t.Name())
		if err != nil {
			return err
		}
		if err := pinThread(id, cpu); err != nil {
			return err
		}
	}
	return nil
}

func pinThread(id, cpu int) error {
	var set unix.CPUSet
	set.Set(cpu)
	if err := unix.SchedSetaffinity(id, &set); err != nil {
		return fmt.Errorf("sched_setaffinity of thread %d to processor %d: %w", id, cpu, err)
	}
	return nil
}
