package ratelimit_test

import (
	"strconv"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	_ "time/tzdata" // so that the places are known everywhere

	"github.com/ashlar-go/ashlar/ratelimit"
)

func TestPeriods(t *testing.T) {
	t.Parallel()
	berlin, havana := locate(t, "Europe/Berlin"), locate(t, "America/Havana")
	at := func(text string) time.Time { return must(time.Parse(time.RFC3339, text)) }
	for name, row := range map[string]struct {
		period          ratelimit.Period
		now, start, end string
	}{
		"hours":                  {ratelimit.Every(time.Hour), "2026-11-27T05:45:07+01:00", "2026-11-27T04:00:00Z", "2026-11-27T05:00:00Z"},
		"days":                   {ratelimit.Every(24 * time.Hour), "2026-11-27T05:45:07Z", "2026-11-27T00:00:00Z", "2026-11-28T00:00:00Z"},
		"weeks":                  {ratelimit.Every(7 * 24 * time.Hour), "2026-11-27T05:45:07Z", "2026-11-23T00:00:00Z", "2026-11-30T00:00:00Z"},
		"a day at its beginning": {ratelimit.Daily(nil), "2026-11-27T00:00:00Z", "2026-11-27T00:00:00Z", "2026-11-28T00:00:00Z"},
		"a day at its end":       {ratelimit.Daily(nil), "2026-11-27T23:59:59.999999999Z", "2026-11-27T00:00:00Z", "2026-11-28T00:00:00Z"},
		"a day elsewhere":        {ratelimit.Daily(berlin), "2026-11-27T23:30:00Z", "2026-11-27T23:00:00Z", "2026-11-28T23:00:00Z"},
		"a day of 23 hours":      {ratelimit.Daily(berlin), "2026-03-29T12:00:00Z", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"},
		"a day of 25 hours":      {ratelimit.Daily(berlin), "2026-10-25T12:00:00Z", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"},
		"a month":                {ratelimit.Monthly(nil), "2028-02-29T12:00:00Z", "2028-02-01T00:00:00Z", "2028-03-01T00:00:00Z"},
		"a month at its end":     {ratelimit.Monthly(berlin), "2026-12-31T22:59:59Z", "2026-11-30T23:00:00Z", "2026-12-31T23:00:00Z"},
		"without midnight":       {ratelimit.Daily(havana), "2026-03-08T12:00:00Z", "2026-03-08T05:00:00Z", "2026-03-09T04:00:00Z"},
	} {
		start, end := row.period(at(row.now))
		if !start.Equal(at(row.start)) || !end.Equal(at(row.end)) {
			t.Errorf("%s: want %s to %s, have %v to %v", name, row.start, row.end, start.UTC(), end.UTC())
		}
	}
}

// TestPeriodsFollowOneAnother also where clocks are set at midnight: every hour of years is in the period that it says, and what is in a
// period agrees on it.
func TestPeriodsFollowOneAnother(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"UTC", "Europe/Berlin", "America/Havana", "America/Sao_Paulo", "Asia/Beirut", "Asia/Amman", "Africa/Cairo", "Atlantic/Azores", "Pacific/Apia", "Asia/Tehran"} {
		for kind, period := range map[string]ratelimit.Period{"day": ratelimit.Daily(locate(t, name)), "month": ratelimit.Monthly(locate(t, name))} {
			now := time.Date(2010, 1, 1, 0, 30, 0, 0, time.UTC)
			lastStart, lastEnd := period(now)
			for ; now.Year() < 2015; now = now.Add(time.Hour) {
				start, end := period(now)
				if now.Before(start) || !now.Before(end) {
					t.Fatalf("%s, %s: %v is not from %v to %v", name, kind, now, start, end)
				}
				if same := start.Equal(lastStart) && end.Equal(lastEnd); !same && !start.Equal(lastEnd) {
					t.Fatalf("%s, %s: %v to %v comes after %v to %v", name, kind, start, end, lastStart, lastEnd)
				}
				lastStart, lastEnd = start, end
			}
		}
	}
}

func locate(t *testing.T, name string) *time.Location {
	t.Helper()
	return must(time.LoadLocation(name))
}

func TestQuota(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { // begins at midnight UTC
		q := must(ratelimit.NewQuota(3, ratelimit.Daily(nil)))
		day := ratelimit.Limit{Events: 3, Period: 24 * time.Hour}
		<-time.After(18 * time.Hour)
		for i, want := range []ratelimit.Decision{
			{Allowed: true, Limit: day, Remaining: 2, Reset: 6 * time.Hour},
			{Allowed: true, Limit: day, Remaining: 0, Reset: 6 * time.Hour},
			{Limit: day, Reset: 6 * time.Hour, RetryAfter: 6 * time.Hour},
		} {
			if have := must(q.Take(t.Context(), "ada", 1+i%2)); want != have {
				t.Errorf("want %+v, have %+v", want, have)
			}
		}
		<-time.After(6 * time.Hour)
		if want, have := (ratelimit.Decision{Allowed: true, Limit: day, Reset: 24 * time.Hour}), must(q.Take(t.Context(), "ada", 3)); want != have {
			t.Errorf("the next day: want %+v, have %+v", want, have)
		}
	})
}

func TestQuotaForgets(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const most = 500
		q := must(ratelimit.NewQuota(3, ratelimit.Every(time.Hour), ratelimit.QuotaMaxKeys(most)))
		for i := range 2 * most {
			must(q.Take(t.Context(), strconv.Itoa(i), 1))
			if i == most-1 {
				<-time.After(time.Hour)
			}
		}
		if s := q.Status(); s.Evicted > most/10 || s.Forgotten+s.Evicted != most || s.Keys > most || s.Limit != (ratelimit.Limit{Events: 3, Period: time.Hour}) {
			t.Errorf("want those of the hour before forgotten, and hardly any evicted, have %+v", s)
		}
	})
}

// TestAClockThatIsSetBack makes a period longer, and gives nothing back.
func TestAClockThatIsSetBack(t *testing.T) {
	t.Parallel()
	q := must(ratelimit.NewQuota(3, ratelimit.Every(time.Hour)))
	noon := time.Date(2126, 11, 27, 12, 0, 0, 0, time.UTC)
	hour := ratelimit.Limit{Events: 3, Period: time.Hour}
	for i, row := range []struct {
		key   string
		after time.Duration
		n     int
		want  ratelimit.Decision
	}{
		{"ada", 10 * time.Minute, 2, ratelimit.Decision{Allowed: true, Limit: hour, Remaining: 1, Reset: 50 * time.Minute}},
		{"ada", -20 * time.Minute, 2, ratelimit.Decision{Limit: hour, Remaining: 1, Reset: 80 * time.Minute, RetryAfter: 80 * time.Minute}},
		{"bob", -20 * time.Minute, 3, ratelimit.Decision{Allowed: true, Limit: hour, Reset: 20 * time.Minute}},
		{"ada", time.Hour - 1, 1, ratelimit.Decision{Allowed: true, Limit: hour, Reset: 1}},
		{"ada", time.Hour, 0, ratelimit.Decision{Allowed: true, Limit: hour, Remaining: 3}},
	} {
		if have := must(q.TakeAt(noon.Add(row.after), row.key, row.n)); row.want != have {
			t.Errorf("step %d: want %+v, have %+v", i, row.want, have)
		}
	}
}

// TestWhatHasUsedNothing is forgotten without loss.
func TestWhatHasUsedNothing(t *testing.T) {
	t.Parallel()
	q := must(ratelimit.NewQuota(3, ratelimit.Daily(nil), ratelimit.QuotaMaxKeys(100)))
	for i := range 1000 {
		must(q.Take(t.Context(), strconv.Itoa(i), 0))
	}
	if s := q.Status(); s.Evicted != 0 || s.Keys > 100 {
		t.Errorf("want none evicted, have %+v", s)
	}
}

func TestAPeriodThatIsWrongLater(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var broken atomic.Bool
		q := must(ratelimit.NewQuota(3, func(now time.Time) (start, end time.Time) {
			if broken.Load() {
				return start, end
			}
			return ratelimit.Every(time.Minute)(now)
		}))
		broken.Store(true)
		must(q.Take(t.Context(), "", 1))
		<-time.After(time.Minute)
		if d, err := q.Take(t.Context(), "", 1); err == nil || d != (ratelimit.Decision{}) {
			t.Errorf("want an error, have %+v", d)
		}
		broken.Store(false)
		must(q.Take(t.Context(), "", 3))
	})
}
