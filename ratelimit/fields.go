package ratelimit

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/ashlar-go/ashlar/transport"
)

// The fields that tell callers of limits, in the form of draft-ietf-httpapi-ratelimit-headers-11 (May 2026), in the header of the response
// on every transport. Both are lists with an item for each limit that the call has passed, outermost first, and for the one that has
// refused it.
const (
	// HeaderRateLimit says what is left, for example
	//
	//	"daily";r=17;t=3600
	//
	// R is Decision.Remaining. T is in seconds, rounded up: Reset, after which all is there again, or, for the limit that refuses the
	// call, RetryAfter.
	HeaderRateLimit = "Ratelimit"
	// HeaderRateLimitPolicy says what the limit is, for example
	//
	//	"daily";q=1000;w=86400
	//
	// Q is Limit.Events, and W the Period in seconds; there is no W for a period that is not made of whole seconds. Where the Burst is
	// another number than the events, it follows as ashlar-burst.
	HeaderRateLimitPolicy = "Ratelimit-Policy"
)

// policy is the RateLimit-Policy of a limit.
type policy struct {
	limit  Limit
	values []string // one, which a Header may keep
}

// tellCaller sets the fields.
func (o *operation) tellCaller(ctx context.Context, d Decision) {
	info := o.served(ctx)
	if info == nil || info.Response == nil {
		return
	}
	p := o.told.Load()
	if p == nil || p.limit != d.Limit {
		p = &policy{limit: d.Limit, values: []string{o.gate.policyItem(d.Limit)}}
		o.told.Store(p)
	}
	window := d.Reset
	if !d.Allowed {
		window = d.RetryAfter
	}
	o.gate.addItem(info.Response, HeaderRateLimitPolicy, p.values)
	o.gate.addItem(info.Response, HeaderRateLimit, []string{o.gate.leftItem(d.Remaining, window)})
}

// addItem adds an item to a list, where there is one. A list in one field, since not everything that reads them knows of several.
func (c *config) addItem(header transport.Header, name string, item []string) {
	if before := header.Values(name); len(before) > 0 {
		list := strings.Join(before, ", ")
		item = []string{list + ", " + c.apartFrom(list) + item[0][len(c.quoted):]}
	}
	header.Set(name, item...)
}

// apartFrom returns the name of the limit, with a number where the list has one of that name.
func (c *config) apartFrom(list string) string {
	name := c.quoted
	for n := 2; strings.HasPrefix(list, name+";") || strings.Contains(list, ", "+name+";"); n++ {
		name = strings.TrimSuffix(c.quoted, `"`) + "-" + strconv.Itoa(n) + `"`
	}
	return name
}

func (c *config) policyItem(limit Limit) string {
	b := append([]byte(c.quoted), ";q="...)
	b = appendInteger(b, int64(limit.Events))
	if c.unit != "" {
		b = append(append(b, ";qu="...), c.unit...)
	}
	if limit.Period%time.Second == 0 {
		b = append(b, ";w="...)
		b = appendInteger(b, int64(limit.Period/time.Second))
	}
	if limit.Capacity() != limit.Events {
		b = append(b, ";ashlar-burst="...)
		b = appendInteger(b, int64(limit.Capacity()))
	}
	return string(b)
}

func (c *config) leftItem(remaining int, window time.Duration) string {
	const enough = 64
	b := append(make([]byte, 0, enough), c.quoted...)
	b = append(b, ";r="...)
	b = appendInteger(b, int64(remaining))
	b = append(b, ";t="...)
	seconds := window / time.Second
	if window%time.Second > 0 {
		seconds++
	}
	return string(appendInteger(b, int64(seconds)))
}

// appendInteger appends an Integer of RFC 9651, which has 15 digits at most.
func appendInteger(b []byte, n int64) []byte {
	const most = 999_999_999_999_999
	return strconv.AppendInt(b, min(max(n, 0), most), 10)
}

// quote returns the text as a String of RFC 9651, section 3.3.3, which holds printable ASCII.
func quote(text string) (string, error) {
	b := []byte{'"'}
	for i := range len(text) {
		switch c := text[i]; {
		case c < ' ' || c > '~':
			return "", fmt.Errorf("%q has a character that is not printable ASCII", text)
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		default:
			b = append(b, c)
		}
	}
	return string(append(b, '"')), nil
}
