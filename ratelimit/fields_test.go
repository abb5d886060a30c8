package ratelimit_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/ratelimit"
	"github.com/ashlar-go/ashlar/transport"
)

// fields are RateLimit-Policy and RateLimit.
type fields struct{ policy, limit string }

func fieldsOf(h transport.Header) fields {
	return fields{strings.Join(h.Values("RateLimit-Policy"), "|"), strings.Join(h.Values("RateLimit"), "|")}
}

// TestFieldsOfALimitThatChanges as that of a month does, or of a limiter that decides by a share.
func TestFieldsOfALimitThatChanges(t *testing.T) {
	t.Parallel()
	l := new(changing)
	h := must(ratelimit.NewGate(l)).Middleware(spec, nothing)
	for _, row := range []struct {
		events int
		want   string
	}{{4, `"default";q=4;w=60`}, {4, `"default";q=4;w=60`}, {1, `"default";q=1;w=60`}, {4, `"default";q=4;w=60`}} {
		l.limit = ratelimit.PerMinute(row.events)
		ctx, info := served(t.Context(), "", nil)
		if err := call(ctx, h); err != nil {
			t.Error(err)
		}
		if have := fieldsOf(info.Response).policy; row.want != have {
			t.Errorf("want %s, have %s", row.want, have)
		}
	}
}

// changing is a Limiter that allows all, by one limit or another.
type changing struct{ limit ratelimit.Limit }

func (c *changing) Take(context.Context, string, int) (ratelimit.Decision, error) {
	return ratelimit.Decision{Allowed: true, Limit: c.limit}, nil
}

func TestFields(t *testing.T) {
	t.Parallel()
	type (
		limit = ratelimit.Limit
		opts  = []ratelimit.Option
	)
	for name, row := range map[string]struct {
		limit limit
		opts  opts
		calls int
		want  fields
	}{
		"first":           {limit{Events: 100, Period: time.Minute}, nil, 1, fields{`"default";q=100;w=60`, `"default";r=99;t=1`}},
		"tenth":           {limit{Events: 100, Period: time.Minute}, nil, 10, fields{`"default";q=100;w=60`, `"default";r=90;t=6`}},
		"refused":         {limit{Events: 2, Period: time.Hour}, nil, 3, fields{`"default";q=2;w=3600`, `"default";r=0;t=1800`}},
		"burst":           {limit{Events: 10, Period: time.Second, Burst: 5}, nil, 1, fields{`"default";q=10;w=1;ashlar-burst=5`, `"default";r=4;t=1`}},
		"part of seconds": {limit{Events: 10, Period: 1500 * time.Millisecond}, nil, 10, fields{`"default";q=10`, `"default";r=0;t=2`}},
		"large":           {limit{Events: 5_000_000_000_000_000, Period: ratelimit.MaxFill}, nil, 1, fields{`"default";q=999999999999999;w=3153600000`, `"default";r=999999999999999;t=1`}},
		"name":            {limit{Events: 1, Period: time.Second}, opts{ratelimit.Policy(`a "b" \c`), ratelimit.Unit("content-bytes")}, 1, fields{`"a \"b\" \\c";q=1;qu="content-bytes";w=1`, `"a \"b\" \\c";r=0;t=1`}},
		"none":            {limit{Events: 1, Period: time.Second}, opts{ratelimit.NoFields()}, 2, fields{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				h := must(ratelimit.NewGate(must(ratelimit.New(row.limit)), row.opts...)).Middleware(spec, nothing)
				var info *transport.Info
				for range row.calls {
					var ctx context.Context
					ctx, info = served(t.Context(), "", nil)
					_ = call(ctx, h)
				}
				if have := fieldsOf(info.Response); row.want != have {
					t.Errorf("want %+v, have %+v", row.want, have)
				}
				if have := fieldsOf(info.Trailer); have != (fields{}) {
					t.Errorf("want nothing in the trailer, have %+v", have)
				}
			})
		})
	}
}

func TestFieldsOfSeveralLimits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		second := must(ratelimit.NewGate(must(ratelimit.New(ratelimit.PerSecond(10))), ratelimit.Policy("second")))
		day := must(ratelimit.NewGate(must(ratelimit.NewQuota(1, ratelimit.Daily(nil))), ratelimit.Policy("day")))
		h := endpoint.Chain(second.Middleware, day.Middleware)(spec, nothing)
		for _, want := range []fields{
			{`"second";q=10;w=1, "day";q=1;w=86400`, `"second";r=9;t=1, "day";r=0;t=86400`},
			{`"second";q=10;w=1, "day";q=1;w=86400`, `"second";r=8;t=1, "day";r=0;t=86400`},
		} {
			ctx, info := served(t.Context(), "", nil)
			_ = call(ctx, h)
			if have := fieldsOf(info.Response); want != have {
				t.Errorf("want %+v, have %+v", want, have)
			}
		}
	})
}

// TestFieldsOfLimitsOfOneName gives the inner ones numbers, and takes nothing else for a name.
func TestFieldsOfLimitsOfOneName(t *testing.T) {
	t.Parallel()
	gate := func(opts ...ratelimit.Option) endpoint.Middleware {
		return must(ratelimit.NewGate(must(ratelimit.New(ratelimit.PerHour(1))), opts...)).Middleware
	}
	ctx, info := served(t.Context(), "", nil)
	h := endpoint.Chain(gate(), gate(ratelimit.Unit("x")), gate(), gate(ratelimit.Policy("x")))(spec, nothing)
	if err := call(ctx, h); err != nil {
		t.Fatal(err)
	}
	want := fields{
		`"default";q=1;w=3600, "default-2";q=1;qu="x";w=3600, "default-3";q=1;w=3600, "x";q=1;w=3600`,
		`"default";r=0;t=3600, "default-2";r=0;t=3600, "default-3";r=0;t=3600, "x";r=0;t=3600`,
	}
	if have := fieldsOf(info.Response); want != have {
		t.Errorf("want %+v, have %+v", want, have)
	}
}

// TestOthersTellNobody has a server that makes a call, and one that calls an endpoint within its process: the limits of those are no business
// of the server's caller, and a refusal does not mean that nothing was begun.
func TestOthersTellNobody(t *testing.T) {
	t.Parallel()
	ctx, info := served(t.Context(), "", nil)
	g := must(ratelimit.NewGate(must(ratelimit.New(ratelimit.PerHour(1)))))
	for _, other := range []endpoint.Spec{spec.Client(), {Service: "quarry", Method: "Split"}} {
		h := g.Middleware(other, nothing)
		for range 2 {
			_ = call(ctx, h)
		}
	}
	for key := range info.Response.All() {
		t.Errorf("want no fields, have %s", key)
	}
	if err := call(t.Context(), g.Middleware(spec, nothing)); err == nil {
		t.Error("outside of any call: want it refused all the same")
	}
}

var errSyntax = errors.New("no String of RFC 9651")

func FuzzPolicyName(f *testing.F) {
	for _, name := range []string{"default", `a "b" \c`, "", "ü", "a\x00", "a\x7f", strings.Repeat(`\"`, 100), "a;q=1", "a, b"} {
		f.Add(name, 7)
	}
	f.Fuzz(func(t *testing.T, name string, events int) {
		limit := ratelimit.Limit{Events: events, Period: ratelimit.MaxFill}
		limiter, err := ratelimit.New(limit)
		if err != nil {
			t.Skip()
		}
		g, err := ratelimit.NewGate(limiter, ratelimit.Policy(name))
		printable := name != "" && !strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r > '~' })
		if printable != (err == nil) {
			t.Fatalf("Policy(%q): want accepted %t, have %v", name, printable, err)
		}
		if err != nil {
			return
		}
		ctx, info := served(t.Context(), "", nil)
		_ = call(ctx, g.Middleware(spec, nothing))
		for _, row := range []struct{ header, begins string }{{"RateLimit", ";r="}, {"RateLimit-Policy", ";q="}} {
			value := info.Response.Get(row.header)
			text, rest, err := parseString(value)
			if err != nil || text != name || !strings.HasPrefix(rest, row.begins) || strings.ContainsAny(rest, `,"`) {
				t.Errorf("%s: want %q, and then %s, have %q, %v", row.header, name, row.begins, value, err)
			}
		}
	})
}

// parseString reads a String as RFC 9651, section 4.2.5, says.
func parseString(text string) (value, rest string, err error) {
	if text == "" || text[0] != '"' {
		return "", "", errSyntax
	}
	var b strings.Builder
	for i := 1; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\':
			if i++; i == len(text) || text[i] != '"' && text[i] != '\\' {
				return "", "", errSyntax
			}
			b.WriteByte(text[i])
		case c == '"':
			return b.String(), text[i+1:], nil
		case c < 0x20 || c > 0x7e:
			return "", "", errSyntax
		default:
			b.WriteByte(c)
		}
	}
	return "", "", errSyntax
}
