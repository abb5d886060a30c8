package ratelimit

import (
	"fmt"
	"time"
)

// Period divides time into periods that follow one another: it returns when the one that now is in began, and when the next one begins. It
// must give the same answer for every time of one period, and is called about once for each.
type Period func(now time.Time) (start, end time.Time)

// Every is periods of the same length, counted from midnight of January 1 in the year 1, UTC, as time.Time.Truncate does: those of an hour
// begin with the hours of the clock, those of a day at midnight, and those of seven days on Monday, all in UTC.
func Every(length time.Duration) Period {
	return func(now time.Time) (start, end time.Time) {
		start = now.UTC().Truncate(length)
		return start, start.Add(length)
	}
}

// Daily is the days of the calendar where location is, of which some have 23 or 25 hours. Nil stands for UTC.
func Daily(location *time.Location) Period {
	return calendar(location, func(year int, month time.Month, day, further int) (int, time.Month, int) {
		return year, month, day + further
	})
}

// Monthly is the months of the calendar where location is. Nil stands for UTC.
func Monthly(location *time.Location) Period {
	return calendar(location, func(year int, month time.Month, _, further int) (int, time.Month, int) {
		return year, month + time.Month(further), 1
	})
}

// calendar is periods that begin at midnight of the day that first makes of a day, and at that of further periods.
func calendar(location *time.Location, first func(year int, month time.Month, day, further int) (int, time.Month, int)) Period {
	if location == nil {
		location = time.UTC
	}
	return func(now time.Time) (start, end time.Time) {
		year, month, day := now.In(location).Date()
		at := func(further int) time.Time {
			y, m, d := first(year, month, day, further)
			return time.Date(y, m, d, 0, 0, 0, 0, location)
		}
		start, end = at(0), at(1)
		switch { // where clocks are set at midnight, it is twice, or not at all
		case now.Before(start):
			return at(-1), start
		case !now.Before(end):
			return end, at(2)
		}
		return start, end
	}
}

// window is one period, as nanoseconds since 1970.
type window struct {
	start, end int64
	limit      Limit
}

// newWindow returns the period that now is in.
func newWindow(events int, period Period, now time.Time) (*window, error) {
	start, end := period(now)
	if now.Before(start) || !now.Before(end) || end.Sub(start) > MaxFill {
		return nil, fmt.Errorf("ratelimit: the period says that %v is between %v and %v", now, start, end)
	}
	w := &window{start: start.UnixNano(), end: end.UnixNano(), limit: Limit{Events: events, Period: end.Sub(start)}}
	return w, w.limit.Check()
}

func (w *window) contains(now int64) bool { return w.start <= now && now < w.end }
