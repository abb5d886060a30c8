package transport_test

import (
	"math"
	"regexp"
	"testing"
	"time"

	"github.com/ashlar-go/ashlar/transport"
)

func TestTimeoutText(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		d    time.Duration
		want string
		back time.Duration
	}{
		{0, "0n", 0},
		{-1, "0n", 0},
		{math.MinInt64, "0n", 0},
		{1, "1n", 1},
		{99_999_999, "99999999n", 99_999_999},
		{100_000_000, "100000u", 100_000_000},
		{100_000_999, "100000u", 100_000_000},
		{30 * time.Second, "30000000u", 30 * time.Second},
		{time.Hour, "3600000m", time.Hour},
		{30 * time.Hour, "108000S", 30 * time.Hour},
		{100_000_000 * time.Second, "1666666M", 1666666 * time.Minute},
		{math.MaxInt64, "2562047H", 2562047 * time.Hour},
	} {
		have := string(transport.AppendTimeout([]byte("> "), row.d))
		if "> "+row.want != have {
			t.Errorf("%v: want > %s, have %s", row.d, row.want, have)
		}
		back, err := transport.ParseTimeout(have[2:])
		if err != nil || row.back != back {
			t.Errorf("%v: want %v back, have %v, %v", row.d, row.back, back, err)
		}
	}
}

func TestParseTimeout(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{
		"1H": time.Hour, "1M": time.Minute, "1S": time.Second, "1m": time.Millisecond, "1u": time.Microsecond, "1n": 1,
		"00000001S": time.Second, "0S": 0,
		"99999999H": math.MaxInt64, "2562048H": math.MaxInt64, "2562047H": 2562047 * time.Hour, "99999999M": 99999999 * time.Minute,
	} {
		if have, err := transport.ParseTimeout(text); want != have || err != nil {
			t.Errorf("%q: want %v, have %v, %v", text, want, have, err)
		}
	}
	for _, text := range []string{"", "S", "1", "1s", "1h", "123456789S", "-1S", "+1S", "1.5S", " 1S", "1S ", "1 S", "1SS", "٣S", "1\x00"} {
		if have, err := transport.ParseTimeout(text); err == nil {
			t.Errorf("%q: want an error, have %v", text, have)
		}
	}
}

var timeoutForm = regexp.MustCompile(`^[0-9]{1,8}[HMSmun]$`)

// FuzzTimeoutRoundTrip checks that what is written is read, never longer than it was, and shorter by less than a unit.
func FuzzTimeoutRoundTrip(f *testing.F) {
	for _, seed := range []int64{0, -1, 1, 99_999_999, 100_000_000, math.MaxInt64, math.MinInt64} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, ns int64) {
		d := max(time.Duration(ns), 0)
		text := string(transport.AppendTimeout(nil, time.Duration(ns)))
		back, err := transport.ParseTimeout(text)
		if !timeoutForm.MatchString(text) || err != nil || back > d || d-back >= max(d/100_000, 1) {
			t.Fatalf("%d is written as %q and read as %d, %v", ns, text, back, err)
		}
	})
}

// FuzzParseTimeout checks that exactly what has the form of gRPC is read.
func FuzzParseTimeout(f *testing.F) {
	for _, seed := range []string{"", "1S", "99999999H", "123456789n", "1s", "-1S"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, err := transport.ParseTimeout(text)
		if timeoutForm.MatchString(text) != (err == nil) || d < 0 {
			t.Fatalf("%q is read as %v, %v", text, d, err)
		}
	})
}
