package processor

import (
	"os"
	"path"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// source is where the use of the processors is read.
type source struct {
	kind     string
	limit    float64                                          // processors
	read     func() (used, possible time.Duration, err error) // possible is 0 where it is the time that has passed, times limit
	pressure func() (time.Duration, error)
}

// kindProcess is where there is nothing else.
const kindProcess = "process"

// find finds the source below root. A cgroup with a limit is that, the one with the lowest of those that the process is in; else it is
// the machine.
func find(root string) source {
	f := files(root)
	best := source{kind: "machine", limit: float64(runtime.NumCPU()), read: f.machine, pressure: f.pressureOf("/proc/pressure/cpu")}
	if _, _, err := f.machine(); err != nil {
		best.kind, best.read = kindProcess, process
	}
	text, err := f.bytes("/proc/self/cgroup")
	if err != nil {
		return best
	}
	of := parseMembership(text)
	text, err = f.bytes("/proc/self/mountinfo")
	if err != nil {
		return best
	}
	mounts := parseMounts(text)
	for _, dir := range ancestors(of, mounts, "") {
		limit, err := f.max(dir)
		if err == nil && limit > 0 && limit < best.limit {
			best = source{kind: "cgroup v2", limit: limit, read: f.usageOf(path.Join(dir, "cpu.stat"), parseUsage)}
			best.pressure = f.pressureOf(path.Join(dir, "cpu.pressure"))
		}
	}
	acct := ancestors(of, mounts, "cpuacct")
	for i, dir := range ancestors(of, mounts, "cpu") {
		limit, err := f.quota(dir)
		if err == nil && limit > 0 && limit < best.limit && i < len(acct) {
			best = source{kind: "cgroup v1", limit: limit, read: f.usageOf(path.Join(acct[i], "cpuacct.usage"), nanos)}
			best.pressure = f.pressureOf("/proc/pressure/cpu")
		}
	}
	return best
}

func nanos(text []byte) (time.Duration, error) {
	n, err := parseInt(text)
	return time.Duration(n), err
}

// ancestors returns the directories of the cgroup of that controller that the process is in, and of those around it.
func ancestors(of membership, mounts map[string]mount, controller string) (dirs []string) {
	own, ok := of[controller]
	m, mounted := mounts[controller]
	if !ok || !mounted {
		return nil
	}
	below, ok := strings.CutPrefix(path.Clean(own), strings.TrimSuffix(path.Clean(m.root), "/"))
	if !ok || below != "" && below[0] != '/' {
		below = "" // of another view of the hierarchy, as in a container: what is mounted is its own
	}
	for below = path.Clean("/" + below); ; below = path.Dir(below) {
		dirs = append(dirs, path.Join(m.point, below))
		if below == "/" {
			return dirs
		}
	}
}

// files reads what is below a directory that stands for the root.
type files string

func (f files) bytes(name string) ([]byte, error) {
	return os.ReadFile(filepath.Join(string(f), filepath.FromSlash(name)))
}

func (f files) max(dir string) (float64, error) {
	text, err := f.bytes(path.Join(dir, "cpu.max"))
	if err != nil {
		return 0, err
	}
	return parseMax(text)
}

func (f files) quota(dir string) (float64, error) {
	quota, err := f.bytes(path.Join(dir, "cpu.cfs_quota_us"))
	if err != nil {
		return 0, err
	}
	period, err := f.bytes(path.Join(dir, "cpu.cfs_period_us"))
	if err != nil {
		return 0, err
	}
	return parseQuota(quota, period)
}

func (f files) usageOf(name string, parse func([]byte) (time.Duration, error)) func() (time.Duration, time.Duration, error) {
	return func() (time.Duration, time.Duration, error) {
		text, err := f.bytes(name)
		if err != nil {
			return 0, 0, err
		}
		used, err := parse(text)
		return used, 0, err
	}
}

func (f files) pressureOf(name string) func() (time.Duration, error) {
	return func() (time.Duration, error) {
		text, err := f.bytes(name)
		if err != nil {
			return 0, err
		}
		return parsePressure(text)
	}
}

// machine returns how long the processors of the machine were busy, and how long they could have been, both in its own units.
func (f files) machine() (used, possible time.Duration, err error) {
	text, err := f.bytes("/proc/stat")
	if err != nil {
		return 0, 0, err
	}
	busy, all, err := parseStat(text)
	return time.Duration(busy), time.Duration(all), err
}
