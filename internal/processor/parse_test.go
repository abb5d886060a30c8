package processor_test

import (
	"math"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/ashlar-go/ashlar/internal/processor"
)

func TestLimits(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]float64{
		"max 100000\n": 0, "max": 0, "50000 100000\n": 0.5, "250000": 2.5, "": -1, "0 100000": -1, "-1 100000": -1, "1 0": -1, "1 2 3": -1, "x": -1, "max x": -1,
	} {
		have, err := processor.ParseMax([]byte(text))
		if err != nil {
			have = -1
		}
		if want != have {
			t.Errorf("cpu.max %q: want %v, have %v, %v", text, want, have, err)
		}
	}
	for _, row := range []struct {
		quota, period string
		want          float64
	}{{"-1\n", "100000\n", 0}, {"150000\n", "100000\n", 1.5}, {"150000", "0", -1}, {"150000", "", -1}, {"", "100000", -1}, {"0", "100000", 0}} {
		have, err := processor.ParseQuota([]byte(row.quota), []byte(row.period))
		if err != nil {
			have = -1
		}
		if row.want != have {
			t.Errorf("%q, %q: want %v, have %v, %v", row.quota, row.period, row.want, have, err)
		}
	}
}

func TestPlacesInTheHierarchy(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, cgroup, mountinfo string
		two, one                []string
	}{
		{
			"nested", "0::/a/b\n", "1 2 0:1 / /sys/fs/cgroup rw - cgroup2 c rw\n",
			[]string{"/sys/fs/cgroup/a/b", "/sys/fs/cgroup/a", "/sys/fs/cgroup"}, nil,
		},
		{
			"mounted from below", "0::/a/b\n3:cpu,cpuacct:/a/b/c\n", "1 2 0:1 /a /mnt rw - cgroup2 c rw\n1 2 0:1 /a/b /v1 rw shared:1 master:2 - cgroup c rw,cpu,cpuacct\n",
			[]string{"/mnt/b", "/mnt"}, []string{"/v1/c", "/v1"},
		},
		{"of another view", "0::/../../x\n", "1 2 0:1 /y /mnt rw - cgroup2 c rw\n", []string{"/mnt"}, nil},
		{"a name that begins alike", "0::/ab\n", "1 2 0:1 /a /mnt rw - cgroup2 c rw\n", []string{"/mnt"}, nil},
		{"a blank in the path", "0::/\n", `1 2 0:1 / /a\040b rw - cgroup2 c rw` + "\n", []string{"/a b"}, nil},
		{"colons in the path", "0::/a:b\n", "1 2 0:1 / /mnt rw - cgroup2 c rw\n", []string{"/mnt/a:b", "/mnt"}, nil},
		{"not mounted", "0::/a\n", "", nil, nil},
		{"rubbish", "0:\n::\nx\n", "- cgroup2\n1 - cgroup2 c rw\n", nil, nil},
	} {
		two, one := processor.Ancestors([]byte(row.cgroup), []byte(row.mountinfo))
		if !slices.Equal(row.two, two) || !slices.Equal(row.one, one) {
			t.Errorf("%s: want %q and %q, have %q and %q", row.name, row.two, row.one, two, one)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"", "max 100000", "50000 100000", "usage_usec 5\nuser_usec 7", "usage_usec 18446744073709551615", "some avg10=0.00 total=9223372036854775807\n",
		"cpu  1 2 3 4 5 6 7 8 9 10\n", "cpu  72057594037927935 72057594037927935 1 1 1 1 1 1", "-9223372036854775808",
	} {
		f.Add([]byte(seed), []byte(seed))
	}
	f.Fuzz(func(t *testing.T, a, b []byte) {
		if have, err := processor.ParseMax(a); err == nil && !(have >= 0) || math.IsInf(have, 0) {
			t.Errorf("cpu.max %q: have %v", a, have)
		}
		if have, err := processor.ParseQuota(a, b); err == nil && !(have >= 0) || math.IsInf(have, 0) {
			t.Errorf("quota %q, %q: have %v", a, b, have)
		}
		if have, err := processor.ParseUsage(a); err == nil && have < 0 {
			t.Errorf("cpu.stat %q: have %v", a, have)
		}
		if have, err := processor.ParsePressure(a); err == nil && have < 0 {
			t.Errorf("cpu.pressure %q: have %v", a, have)
		}
		if busy, all, err := processor.ParseStat(a); err == nil && busy > all {
			t.Errorf("/proc/stat %q: have %d of %d", a, busy, all)
		}
	})
}

func FuzzAncestors(f *testing.F) {
	f.Add([]byte("0::/a/b\n3:cpu,cpuacct:/a/b/c\n"), []byte("1 2 0:1 /a /mnt rw - cgroup2 c rw\n1 2 0:1 /a/b /v1 rw shared:1 - cgroup c rw,cpu,cpuacct\n"))
	f.Add([]byte("0::/../..\n"), []byte(`1 2 0:1 / /\040\777\ rw - cgroup2 c rw`))
	f.Fuzz(func(t *testing.T, cgroup, mountinfo []byte) {
		two, one := processor.Ancestors(cgroup, mountinfo)
		for _, dir := range slices.Concat(two, one) {
			if dir != path.Clean(dir) || strings.Contains(dir, "/../") && !strings.Contains(string(mountinfo), "..") {
				t.Errorf("%q, %q: have the directory %q", cgroup, mountinfo, dir)
			}
		}
	})
}
