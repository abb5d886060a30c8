package processor

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// membership is the cgroups that a process is in: the path of each controller of version 1, and that of version 2 under "".
type membership map[string]string

// parseMembership reads /proc/self/cgroup; cgroups(7).
func parseMembership(text []byte) membership {
	m := membership{}
	for line := range strings.Lines(string(text)) {
		_, rest, ok := strings.Cut(strings.TrimSuffix(line, "\n"), ":")
		controllers, path, ok2 := strings.Cut(rest, ":")
		if !ok || !ok2 || !strings.HasPrefix(path, "/") {
			continue
		}
		for c := range strings.SplitSeq(controllers, ",") {
			m[c] = path
		}
	}
	return m
}

// mount is where a hierarchy of cgroups can be read.
type mount struct {
	root  string // the cgroup that stands there
	point string
}

// parseMounts reads /proc/self/mountinfo; proc_pid_mountinfo(5). The keys are those of a membership.
func parseMounts(text []byte) map[string]mount {
	mounts := map[string]mount{}
	for line := range strings.Lines(string(text)) {
		before, after, ok := strings.Cut(line, " - ")
		fields, kind := strings.Fields(before), strings.Fields(after)
		if !ok || len(fields) < 6 || len(kind) < 3 {
			continue
		}
		m := mount{root: unescape(fields[3]), point: unescape(fields[4])}
		switch kind[0] {
		case "cgroup2":
			mounts[""] = m
		case "cgroup":
			for option := range strings.SplitSeq(kind[2], ",") {
				if option == "cpu" || option == "cpuacct" {
					mounts[option] = m
				}
			}
		}
	}
	return mounts
}

// unescape undoes what the kernel does to blanks and the like in a path.
func unescape(path string) string {
	if !strings.Contains(path, `\`) {
		return path
	}
	var b strings.Builder
	for i := 0; i < len(path); i++ {
		if path[i] == '\\' && i+3 < len(path) {
			if n, err := strconv.ParseUint(path[i+1:i+4], 8, 8); err == nil {
				b.WriteByte(byte(n))
				i += 3
				continue
			}
		}
		b.WriteByte(path[i])
	}
	return b.String()
}

// parseMax reads cpu.max of version 2: how much time in how long, or max. It returns processors, 0 for no limit.
func parseMax(text []byte) (float64, error) {
	fields := strings.Fields(string(text))
	if len(fields) == 0 || len(fields) > 2 {
		return 0, fmt.Errorf("cpu.max is %.40q", text)
	}
	period := 100_000.0 // its default
	if len(fields) == 2 {
		p, err := strconv.ParseUint(fields[1], 10, 63)
		if err != nil || p == 0 {
			return 0, fmt.Errorf("cpu.max is %.40q", text)
		}
		period = float64(p)
	}
	if fields[0] == "max" {
		return 0, nil
	}
	quota, err := strconv.ParseUint(fields[0], 10, 63)
	if err != nil || quota == 0 {
		return 0, fmt.Errorf("cpu.max is %.40q", text)
	}
	return float64(quota) / period, nil
}

// parseQuota reads cpu.cfs_quota_us and cpu.cfs_period_us of version 1. It returns processors, 0 for no limit.
func parseQuota(quota, period []byte) (float64, error) {
	q, err := parseInt(quota)
	if err != nil || q <= 0 { // -1 is none
		return 0, err
	}
	p, err := parseInt(period)
	if err != nil {
		return 0, err
	}
	if p <= 0 {
		return 0, fmt.Errorf("the period is %d", p)
	}
	return float64(q) / float64(p), nil
}

func parseInt(text []byte) (int64, error) {
	return strconv.ParseInt(string(bytes.TrimSpace(text)), 10, 64)
}

// parseUsage reads the time that was used from cpu.stat of version 2.
func parseUsage(text []byte) (time.Duration, error) {
	for line := range strings.Lines(string(text)) {
		if key, value, ok := strings.Cut(strings.TrimSpace(line), " "); ok && key == "usage_usec" {
			return micros(value)
		}
	}
	return 0, fmt.Errorf("there is no usage_usec in %.40q", text)
}

// parsePressure reads for how long some waited for a processor, from cpu.pressure or /proc/pressure/cpu.
func parsePressure(text []byte) (time.Duration, error) {
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if len(fields) == 0 || fields[0] != "some" {
			continue
		}
		for _, f := range fields[1:] {
			if total, ok := strings.CutPrefix(f, "total="); ok {
				return micros(total)
			}
		}
	}
	return 0, fmt.Errorf("there is no total of some in %.40q", text)
}

func micros(text string) (time.Duration, error) {
	n, err := strconv.ParseUint(text, 10, 63)
	if err == nil && n > math.MaxInt64/uint64(time.Microsecond) {
		err = strconv.ErrRange
	}
	return time.Duration(n) * time.Microsecond, err
}

// parseStat reads the ticks in which the processors of the machine were busy, and all ticks, from /proc/stat.
func parseStat(text []byte) (busy, all uint64, err error) {
	line, _, _ := bytes.Cut(text, []byte("\n"))
	fields := strings.Fields(string(line))
	const idle, iowait, steal = 3, 4, 7 // after them come those of guests, which are in the first two, too
	if len(fields) < 5 || fields[0] != "cpu" {
		return 0, 0, fmt.Errorf("/proc/stat begins with %.40q", line)
	}
	for i, f := range fields[1:min(len(fields), steal+2)] {
		n, err := strconv.ParseUint(f, 10, 56) // so that eight of them are a uint64
		if err != nil {
			return 0, 0, fmt.Errorf("/proc/stat begins with %.40q", line)
		}
		all += n
		if i != idle && i != iowait {
			busy += n
		}
	}
	return busy, all, nil
}
