package redislimit

import (
	"fmt"
	"math/bits"
	"time"

	"github.com/ashlar-go/ashlar/ratelimit"
)

// exact reckons with a limit without rounding. An event takes up every/parts microseconds, in lowest terms.
type exact struct {
	limit        ratelimit.Limit
	every, parts uint64
	full         span // of the whole capacity
}

// span is a time: whole microseconds, and parts of one, of which there are less than exact.parts.
type span struct{ micros, parts uint64 }

// maxParts is how many parts of a microsecond the script reckons with: the sum of two numbers below it has no rounding in a double.
const maxParts = 1 << 52

func newExact(limit ratelimit.Limit) (exact, error) {
	if err := limit.Check(); err != nil {
		return exact{}, err
	}
	const nanos = uint64(time.Microsecond)
	every, parts := uint64(limit.Period), uint64(limit.Events)
	divisor := gcd(every, nanos)
	every, scale := every/divisor, nanos/divisor
	common := gcd(every, parts)
	every, parts = every/common, parts/common
	if parts > maxParts/scale {
		return exact{}, fmt.Errorf("a limit of %v cannot be counted exactly: want fewer events", limit)
	}
	e := exact{limit: limit, every: every, parts: parts * scale}
	e.full = e.span(limit.Capacity())
	return e, nil
}

func gcd(a, b uint64) uint64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// span returns what n events take up, for n from 0 to the capacity.
func (e *exact) span(n int) span {
	high, low := bits.Mul64(uint64(n), e.every)
	micros, parts := bits.Div64(high, low, e.parts)
	return span{micros, parts}
}

// events returns how many events the span has room for, rounded down.
func (e *exact) events(s span) int {
	high, low := bits.Mul64(s.micros, e.parts)
	low, carry := bits.Add64(low, s.parts, 0)
	n, _ := bits.Div64(high+carry, low, e.every)
	return int(n)
}

// duration returns how long the span is, rounded up to a nanosecond.
func (e *exact) duration(s span) time.Duration {
	const nanos = uint64(time.Microsecond)
	return time.Duration(s.micros*nanos + (s.parts*nanos+e.parts-1)/e.parts)
}

// less reports whether a is shorter than b.
func (a span) less(b span) bool {
	return a.micros < b.micros || a.micros == b.micros && a.parts < b.parts
}

func (e *exact) add(a, b span) span {
	sum := span{a.micros + b.micros, a.parts + b.parts}
	if sum.parts >= e.parts {
		sum.micros, sum.parts = sum.micros+1, sum.parts-e.parts
	}
	return sum
}

// sub returns a without b, which is not longer.
func (e *exact) sub(a, b span) span {
	rest := span{a.micros - b.micros, a.parts - b.parts}
	if a.parts < b.parts {
		rest.micros, rest.parts = rest.micros-1, rest.parts+e.parts
	}
	return rest
}

// decision reads the answer of the script to a request for n events.
func (e *exact) decision(n int, answer []int64) (ratelimit.Decision, error) {
	if len(answer) != 3 || answer[0]&^1 != 0 || answer[1] < 0 || answer[2] < 0 || uint64(answer[2]) >= e.parts {
		return ratelimit.Decision{}, unreadable(answer)
	}
	left := span{uint64(answer[1]), uint64(answer[2])}
	if e.full.less(left) {
		return ratelimit.Decision{}, unreadable(answer)
	}
	d := ratelimit.Decision{
		Allowed: answer[0] == 1, Limit: e.limit, Remaining: e.events(e.sub(e.full, left)), Reset: e.duration(left),
	}
	if !d.Allowed {
		wanted := e.add(left, e.span(n))
		if !e.full.less(wanted) {
			return ratelimit.Decision{}, unreadable(answer)
		}
		d.RetryAfter = e.duration(e.sub(wanted, e.full))
	}
	return d, nil
}

func unreadable(answer []int64) error {
	return fmt.Errorf("the answer of Redis is not one of the script: %v", answer)
}
