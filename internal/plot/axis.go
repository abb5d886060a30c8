package plot

import (
	"math"
	"strconv"
	"strings"
)

// scale maps the values of an axis to pixels.
type scale struct {
	min, max float64
	log      bool
	from, to float64 // pixels of min and max
}

// newScale returns the scale of an axis for values.
func newScale(a Axis, values []float64, from, to float64) scale {
	s := scale{min: a.Min, max: a.Max, log: a.Log, from: from, to: to}
	if a.Min == 0 && a.Max == 0 {
		s.min, s.max = span(values, a.Log)
	}
	return s
}

// span returns the range that values need.
func span(values []float64, log bool) (low, high float64) {
	if log {
		low, high = math.Inf(1), math.Inf(-1)
		for _, v := range values {
			if v > 0 { // which NaN is not
				low, high = min(low, v), max(high, v)
			}
		}
		if low > high {
			return 1, 10
		}
		low, high = math.Pow(10, math.Floor(math.Log10(low))), math.Pow(10, math.Ceil(math.Log10(high)))
		if low == high {
			high *= 10
		}
		return low, high
	}
	for _, v := range values {
		if !math.IsNaN(v) {
			low, high = min(low, v), max(high, v)
		}
	}
	if low == high {
		high = 1
	}
	step := stepOf(low, high)
	return math.Floor(low/step) * step, math.Ceil(high/step) * step
}

// at returns the pixel of v; ok is false where there is none.
func (s scale) at(v float64) (pixel float64, ok bool) {
	low, high := s.min, s.max
	if s.log {
		if !(v > 0) {
			return 0, false
		}
		v, low, high = math.Log10(v), math.Log10(low), math.Log10(high)
	}
	return s.from + (v-low)/(high-low)*(s.to-s.from), !math.IsNaN(v)
}

// ticks returns the values at which the axis is marked.
func (s scale) ticks() (values []float64) {
	if s.log {
		for v := math.Pow(10, math.Ceil(math.Log10(s.min)-tiny)); v <= s.max*(1+tiny); v *= 10 {
			values = append(values, v)
		}
		return values
	}
	step := stepOf(s.min, s.max)
	first := math.Ceil(s.min/step - tiny)
	for i := 0.0; (first+i)*step <= s.max+step*tiny; i++ {
		values = append(values, (first+i)*step)
	}
	return values
}

const tiny = 1e-9

// stepOf returns the distance of marks between low and high: 1, 2 or 5 times a power of ten, so that there are five to eleven of them.
func stepOf(low, high float64) float64 {
	const most = 10
	raw := (high - low) / most
	power := math.Pow(10, math.Floor(math.Log10(raw)))
	for _, m := range []float64{1, 2, 5} {
		if m*power >= raw*(1-tiny) {
			return m * power
		}
	}
	return 10 * power
}

// label returns how a mark is written: without needless digits, and with thin spaces between thousands.
func label(v float64) string {
	const digits = 10
	v, err := strconv.ParseFloat(strconv.FormatFloat(v, 'g', digits, 64), 64) // 0.30000000000000004 is 0.3
	if err != nil || v == 0 {
		return "0"
	}
	if size := math.Abs(v); size >= 1e9 || size < 1e-4 {
		return strconv.FormatFloat(v, 'g', -1, 64)
	}
	text := strconv.FormatFloat(v, 'f', -1, 64)
	whole, fraction, _ := strings.Cut(text, ".")
	const group, thinSpace = 3, "\u2009"
	for i := len(whole) - group; i > 0 && whole[i-1] != '-'; i -= group {
		whole = whole[:i] + thinSpace + whole[i:]
	}
	if fraction != "" {
		whole += "." + fraction
	}
	return whole
}
