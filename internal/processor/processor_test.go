package processor_test

import (
	"math"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/ashlar-go/ashlar/internal/processor"
)

// tree is files below a root.
type tree map[string]string

func (f tree) write(t testing.TB, root string) {
	t.Helper()
	for name, text := range f {
		path := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// These were recorded on machines, but for the figures and the names of devices. A second later another half of one processor has been used, in each.
var trees = map[string]struct {
	before, after tree
	want          processor.Usage
}{
	"version 2, in a container of its own namespace": {
		tree{
			"proc/self/cgroup":           "0::/\n",
			"proc/self/mountinfo":        "1461 1460 0:29 / /sys/fs/cgroup ro,nosuid,nodev,noexec,relatime - cgroup2 none rw,nsdelegate,memory_recursiveprot\n",
			"sys/fs/cgroup/cpu.max":      "75000 100000\n",
			"sys/fs/cgroup/cpu.stat":     "usage_usec 1000123\nuser_usec 900000\nsystem_usec 100123\nnr_periods 10\nnr_throttled 0\nthrottled_usec 0\n",
			"sys/fs/cgroup/cpu.pressure": "some avg10=0.00 avg60=0.00 avg300=0.00 total=1000\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=900\n",
			"proc/stat":                  "cpu  1 0 1 1 0 0 0 0 0 0\n",
		},
		tree{
			"sys/fs/cgroup/cpu.stat":     "usage_usec 1500123\nuser_usec 900000\nsystem_usec 100123\n",
			"sys/fs/cgroup/cpu.pressure": "some avg10=0.00 avg60=0.00 avg300=0.00 total=251000\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=900\n",
		},
		processor.Usage{Source: "cgroup v2", Limit: 0.75, Share: 0.5 / 0.75, Stalled: 0.25},
	},
	"version 2, with the lowest limit above": {
		tree{
			"proc/self/cgroup":    "0::/system.slice/shop.service\n",
			"proc/self/mountinfo": "25 30 0:22 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:4 - cgroup2 none rw\n",
			"sys/fs/cgroup/system.slice/shop.service/cpu.max":  "max 100000\n",
			"sys/fs/cgroup/system.slice/shop.service/cpu.stat": "usage_usec 7\n",
			"sys/fs/cgroup/system.slice/cpu.max":               "50000 100000\n",
			"sys/fs/cgroup/system.slice/cpu.stat":              "usage_usec 1\n",
		},
		tree{"sys/fs/cgroup/system.slice/cpu.stat": "usage_usec 500001\n"},
		processor.Usage{Source: "cgroup v2", Limit: 0.5, Share: 1},
	},
	"version 1, in a container": {
		tree{
			"proc/self/cgroup": "12:cpuset:/docker/4f\n5:cpu,cpuacct:/docker/4f\n1:name=systemd:/docker/4f\n0::/system.slice/containerd.service\n",
			"proc/self/mountinfo": "34 31 0:31 /docker/4f /sys/fs/cgroup/systemd ro - cgroup none rw,xattr,name=systemd\n" +
				"35 31 0:32 /docker/4f /sys/fs/cgroup/cpu,cpuacct ro,nosuid,nodev,noexec,relatime master:11 - cgroup none rw,cpu,cpuacct\n",
			"sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us":  "60000\n",
			"sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": "100000\n",
			"sys/fs/cgroup/cpu,cpuacct/cpuacct.usage":     "123456789\n",
			"proc/pressure/cpu":                           "some avg10=0.00 avg60=0.00 avg300=0.00 total=5\n",
		},
		tree{
			"sys/fs/cgroup/cpu,cpuacct/cpuacct.usage": "623456789\n",
			"proc/pressure/cpu":                       "some avg10=0.00 avg60=0.00 avg300=0.00 total=100005\n",
		},
		processor.Usage{Source: "cgroup v1", Limit: 0.6, Share: 0.5 / 0.6, Stalled: 0.1},
	},
	"version 1, the controllers apart, and version 2 beside them without any": {
		tree{
			"proc/self/cgroup": "2:cpuacct:/jobs\n1:cpu:/jobs\n0::/\n",
			"proc/self/mountinfo": "32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup none rw,cpu\n" +
				"33 31 0:30 / /sys/fs/cgroup/cpuacct rw,relatime - cgroup none rw,cpuacct\n" +
				"41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 none rw\n",
			"sys/fs/cgroup/unified/cpu.stat":           "usage_usec 31313386372\n",
			"sys/fs/cgroup/cpu/jobs/cpu.cfs_quota_us":  "90000\n",
			"sys/fs/cgroup/cpu/jobs/cpu.cfs_period_us": "100000\n",
			"sys/fs/cgroup/cpuacct/jobs/cpuacct.usage": "1\n",
			"sys/fs/cgroup/cpuacct/cpuacct.usage":      "9\n",
			"sys/fs/cgroup/cpu/cpu.cfs_quota_us":       "-1\n",
			"sys/fs/cgroup/cpu/cpu.cfs_period_us":      "100000\n",
		},
		tree{"sys/fs/cgroup/cpuacct/jobs/cpuacct.usage": "500000001\n"},
		processor.Usage{Source: "cgroup v1", Limit: 0.9, Share: 0.5 / 0.9},
	},
	"no limit": {
		tree{
			"proc/self/cgroup":                 "0::/user.slice\n",
			"proc/self/mountinfo":              "25 30 0:22 / /sys/fs/cgroup rw - cgroup2 none rw\n",
			"sys/fs/cgroup/user.slice/cpu.max": "max 100000\n",
			"proc/stat":                        "cpu  100 10 50 1000 40 0 5 2 30 3\ncpu0 100 10 50 1000 40 0 5 2 30 3\nintr 1\n",
			"proc/pressure/cpu":                "some avg10=0.00 avg60=0.00 avg300=0.00 total=5\n",
		},
		tree{"proc/stat": "cpu  130 15 60 1140 50 1 6 5 60 3\n"}, // 50 of 200; time of guests counts once
		processor.Usage{Source: "machine", Limit: float64(runtime.NumCPU()), Share: 0.25},
	},
	"a limit above what the machine has": {
		tree{
			"proc/self/cgroup":       "0::/\n",
			"proc/self/mountinfo":    "25 30 0:22 / /sys/fs/cgroup rw - cgroup2 none rw\n",
			"sys/fs/cgroup/cpu.max":  "100000000 100000\n",
			"sys/fs/cgroup/cpu.stat": "usage_usec 7\n",
			"proc/stat":              "cpu  0 0 0 100\n" + "cpu0\n",
		},
		tree{"proc/stat": "cpu  100 0 0 200\n"},
		processor.Usage{Source: "machine", Limit: float64(runtime.NumCPU()), Share: 0.5},
	},
}

// smooth is the part of a change that is seen after a second.
var smooth = -math.Expm1(-1)

func TestRecordedTrees(t *testing.T) {
	t.Parallel()
	for name, row := range trees {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			root := t.TempDir()
			row.before.write(t, root)
			m := processor.NewMeter(root)
			if have := m.Read(time.Minute); have != (processor.Usage{}) {
				t.Errorf("want nothing of the first reading, have %+v", have)
			}
			row.after.write(t, root)
			have := m.Read(time.Minute + time.Second)
			near := func(a, b float64) bool { return math.Abs(a-b) < 1e-9 }
			if row.want.Source != have.Source || !near(row.want.Limit, have.Limit) || !near(row.want.Share*smooth, have.Share) ||
				!near(row.want.Stalled*smooth, have.Stalled) {
				t.Errorf("want %+v, the shares times %v, have %+v", row.want, smooth, have)
			}
		})
	}
}

func TestUsageIsSmoothedAndAnotherLimitSeen(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	row := trees["version 2, in a container of its own namespace"]
	row.before.write(t, root)
	m := processor.NewMeter(root)
	m.Read(0)
	row.after.write(t, root)
	first := m.Read(time.Second)
	second := m.Read(2 * time.Second)
	if have := second; have.Share >= first.Share || have.Share <= 0 {
		t.Errorf("want less than %v after an idle second, and more than 0, have %v", first.Share, have.Share)
	}
	tree{"sys/fs/cgroup/cpu.stat": "usage_usec 3\n"}.write(t, root) // set back
	before := m.Read(3 * time.Second)
	if second != before {
		t.Errorf("want a counter that was set back to change nothing, have %+v after %+v", before, second)
	}
	tree{"sys/fs/cgroup/cpu.stat": "nothing\n"}.write(t, root)
	if have := m.Read(4 * time.Second); before != have {
		t.Errorf("want what cannot be read to change nothing, have %+v after %+v", have, before)
	}
	tree{"sys/fs/cgroup/cpu.max": "40000 100000\n", "sys/fs/cgroup/cpu.stat": "usage_usec 0\n"}.write(t, root)
	m.Read(20 * time.Second)
	tree{"sys/fs/cgroup/cpu.stat": "usage_usec 200000\n"}.write(t, root)
	if have := m.Read(21 * time.Second); math.Abs(have.Limit-0.4) > 1e-9 || math.Abs(have.Share-0.5*smooth) > 1e-9 {
		t.Errorf("want half of the new limit, have %+v", have)
	}
}

// The share of the time in which something waits is 0 to 1, whatever the kernel counts, and that of some and not of all.
func TestStallsAreAShare(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	row := trees["version 2, in a container of its own namespace"]
	row.before.write(t, root)
	m := processor.NewMeter(root)
	m.Read(0)
	for i, row := range []struct {
		pressure    string
		least, most float64
	}{
		{"full avg10=0.00 total=900000\nsome avg10=0.00 total=1000\n", 0, 0},
		{"some avg10=0.00 total=9001000\n", smooth, smooth},
		{"some avg10=0.00 total=1000\n", 0, smooth}, // set back
	} {
		tree{"sys/fs/cgroup/cpu.pressure": row.pressure}.write(t, root)
		if have := m.Read(time.Duration(i+1) * time.Second).Stalled; have < row.least || have > row.most {
			t.Errorf("reading %d: want %v to %v, have %v", i, row.least, row.most, have)
		}
	}
}

// Where there is nothing to read the process measures itself.
func TestWithoutFilesTheProcessMeasuresItself(t *testing.T) {
	t.Parallel()
	m := processor.NewMeter(t.TempDir())
	m.Read(0)
	n := uint64(0)
	for began := time.Now(); time.Since(began) < 20*time.Millisecond; {
		n++
	}
	have := m.Read(20 * time.Millisecond)
	if have.Source != "process" || have.Share <= 0 || n == 0 {
		t.Errorf("want the use of the process, have %+v", have)
	}
}

// This machine, whatever it is, has something to read.
func TestThisMachine(t *testing.T) {
	t.Parallel()
	m := processor.NewMeter("/")
	m.Read(0)
	for began := time.Now(); time.Since(began) < 50*time.Millisecond; {
		runtime.Gosched()
	}
	have := m.Read(50 * time.Millisecond)
	if have.Source == "" || have.Limit <= 0 || have.Share < 0 || have.Share > 2 || math.IsNaN(have.Share) {
		t.Errorf("want a usage, have %+v", have)
	}
	t.Logf("%+v", have)
}

func BenchmarkRead(b *testing.B) {
	m := processor.NewMeter("/")
	now := time.Duration(0)
	b.ReportAllocs()
	for b.Loop() {
		now += time.Millisecond
		m.Read(now)
	}
}
