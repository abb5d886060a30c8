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
	return calendar(location, func(year int, month time.Month, day, further int) date { return date{year, month, day + further} })
}

// Monthly is the months of the calendar where location is. Nil stands for UTC.
func Monthly(location *time.Location) Period {
	return calendar(location, func(year int, month time.Month, _, further int) date {
		return date{year, month + time.Month(further), 1}
	})
}

// calendar is periods that begin at midnight of the day that first makes of a day, and at that of further periods.
func calendar(location *time.Location, first func(year int, month time.Month, day, further int) date) Period {
	if location == nil {
		location = time.UTC
	}
	return func(now time.Time) (start, end time.Time) {
		year, month, day := now.In(location).Date()
		begin := func(further int) time.Time { return midnight(first(year, month, day, further), location) }
		start, end = begin(0), begin(1)
		if now.Before(start) { // midnight is twice, since clocks are set back, and now is between the two
			return begin(-1), start
		}
		return start, end
	}
}

// date is a day; like the arguments of time.Date it may be out of range.
type date struct {
	year  int
	month time.Month
	day   int
}

// midnight returns the time at which the day begins there, which is later where clocks are set forward at midnight, or by a whole day.
func midnight(d date, location *time.Location) time.Time {
	t := time.Date(d.year, d.month, d.day, 0, 0, 0, 0, location)
	if asked := time.Date(d.year, d.month, d.day, 0, 0, 0, 0, time.UTC); t.Day() != asked.Day() {
		_, t = t.ZoneBounds() // the day before, since there was no such time
	}
	return t
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
		return nil, fmt.Errorf("want a period longer than 0, up to 100 years, that has %v in it; have one from %v to %v",
			now.Round(0), start.Round(0), end.Round(0))
	}
	w := &window{start: start.UnixNano(), end: end.UnixNano(), limit: Limit{Events: events, Period: end.Sub(start)}}
	return w, w.limit.Check()
}

func (w *window) contains(now int64) bool { return w.start <= now && now < w.end }
