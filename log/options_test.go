package log_test

import (
	"context"
	"fmt"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/log"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
)

func TestCodeLevel(t *testing.T) {
	t.Parallel()
	var out recorder
	opts := []log.Option{log.CodeLevel(log.LevelDebug, status.OK), log.CodeLevel(log.LevelError, status.NotFound, status.Canceled)}
	_, _ = served(&out, 0, nil, opts...)(t.Context(), 1)
	_, _ = served(&out, 0, status.New(status.NotFound, "x"), opts...)(t.Context(), 1)
	_, _ = served(&out, 0, status.New(status.Canceled, "x"), opts...)(t.Context(), 1)
	_, _ = served(log.Filter(&out, log.LevelInfo), 0, nil, opts...)(t.Context(), 1)
	if want, have := "[debug error error]", fmt.Sprint(column(&out, "level")); want != have {
		t.Errorf("want %s, have %s", want, have)
	}
}

func column(r *recorder, key string) (values []string) {
	for _, line := range r.lines {
		values = append(values, line[key])
	}
	return values
}

func TestSlowCallsAreMarkedAndNeverDropped(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for _, test := range []struct {
			takes       time.Duration
			err         error
			level, slow string
		}{
			{999 * time.Millisecond, nil, "", ""}, // its level is off
			{time.Second, nil, "warn", "true"},
			{time.Minute, status.New(status.NotFound, "x"), "warn", "true"},
			{time.Second, status.New(status.Internal, "x"), "error", "true"},
			{0, status.New(status.Internal, "x"), "error", ""},
		} {
			var out recorder
			logger := log.Filter(&out, log.LevelWarn)
			call := served(logger, test.takes, test.err, log.Slow(time.Second), log.SampleEvery(1000))
			for range 3 {
				_, _ = call(t.Context(), 1)
			}
			want := 3
			if test.level == "" {
				want = 0
			}
			if have := len(out.lines); want != have {
				t.Fatalf("%v: want %d lines, have %d", test, want, have)
			}
			for _, line := range out.lines {
				if line["level"] != test.level || line["slow"] != test.slow {
					t.Errorf("%v: have %v", test, line)
				}
			}
		}
	})
}

func TestSlowCallIsMarkedAlsoWhereNoCodeIsAWarning(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var all []status.Code
		for code := status.OK; code.Valid(); code++ {
			all = append(all, code)
		}
		var out recorder
		_, _ = served(log.Filter(&out, log.LevelWarn), time.Second, nil, log.CodeLevel(log.LevelDebug, all...), log.Slow(time.Second))(t.Context(), 1)
		if line := out.only(t); line["level"] != "warn" || line["slow"] != "true" {
			t.Errorf("have %v", line)
		}
	})
}

func TestStreamsAreNeverSlow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var out recorder
		s := endpoint.FromServerStream(func(context.Context, int, func(int) error) error { time.Sleep(time.Hour); return nil })
		_ = endpoint.NewStream(place, s, log.Middleware(&out, log.Slow(time.Second)))(t.Context(), endpoint.Seq(1), nil)
		if line := out.only(t); line["slow"] != "" || line["level"] != "info" || line["duration"] != "1h0m0s" {
			t.Errorf("have %v", line)
		}
	})
}

func TestSampleEvery(t *testing.T) {
	t.Parallel()
	var out recorder
	mw := log.Middleware(&out, log.SampleEvery(4))
	fail := false
	call := endpoint.New(place, func(context.Context, int) (int, error) {
		if fail {
			return 0, status.New(status.NotFound, "x")
		}
		return 0, nil
	}, mw)
	other := endpoint.New(place, func(context.Context, int) (int, error) { return 0, nil }, mw)
	for range 7 {
		_, _ = call(t.Context(), 1)
	}
	fail = true
	for range 3 {
		_, _ = call(t.Context(), 1) // never dropped
	}
	_, _ = other(t.Context(), 1)                                                                                  // counted by itself
	if want, have := "[ok ok not_found not_found not_found ok]", fmt.Sprint(column(&out, "code")); want != have { //nolint:dupword // the codes of six calls
		t.Errorf("want %s, have %s", want, have)
	}
	if want, have := fmt.Sprintf("%q", []string{"", "3", "2", "", "", ""}), fmt.Sprintf("%q", column(&out, "dropped")); want != have {
		t.Errorf("dropped: want %s, have %s", want, have)
	}
}

func TestSamplePerSecond(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var out recorder
		call := served(&out, 100*time.Millisecond, nil, log.SamplePerSecond(2))
		for range 30 {
			_, _ = call(t.Context(), 1)
		}
		if want, have := 6, len(out.lines); want != have {
			t.Errorf("want %d lines in 3 seconds, have %d", want, have)
		}
		if want, have := fmt.Sprintf("%q", []string{"", "", "8", "", "8", ""}), fmt.Sprintf("%q", column(&out, "dropped")); want != have {
			t.Errorf("dropped: want %s, have %s", want, have)
		}
	})
}

func TestBothWaysOfSamplingApply(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var out recorder
		call := served(&out, 0, nil, log.SampleEvery(2), log.SamplePerSecond(3))
		for range 20 {
			_, _ = call(t.Context(), 1)
		}
		if want, have := 3, len(out.lines); want != have {
			t.Errorf("want %d lines, have %d", want, have)
		}
	})
}

type tenantKey struct{}

func TestFieldsAppend(t *testing.T) {
	t.Parallel()
	var out recorder
	tenant := log.Fields(func(ctx context.Context) []any { return []any{"tenant", ctx.Value(tenantKey{}), "odd"} })
	zone := log.Fields(func(context.Context) []any { return []any{"zone", "a"} })
	ctx := context.WithValue(t.Context(), tenantKey{}, "acme")
	_, _ = served(&out, 0, nil, tenant, zone)(ctx, 1)
	if line := out.only(t); line["tenant"] != "acme" || line["odd"] != "(MISSING)" || line["zone"] != "a" {
		t.Errorf("have %v", line)
	}
}

func TestFieldsAreComputedForWrittenLinesOnly(t *testing.T) {
	t.Parallel()
	called := 0
	count := func(context.Context) []any { called++; return nil }
	trace := func(context.Context) string { called++; return "" }
	logger := log.Filter(&recorder{}, log.LevelError)
	_, _ = served(logger, 0, nil, log.Fields(count), log.TraceID(trace))(t.Context(), 1)
	if called != 0 {
		t.Errorf("want 0 calls, have %d", called)
	}
}

func TestTraceIDReplacesTheHeader(t *testing.T) {
	t.Parallel()
	var out recorder
	ctx, _ := serverContext(t)
	_, _ = served(&out, 0, nil, log.TraceID(func(context.Context) string { return "mine" }))(ctx, 1)
	if want, have := "mine", out.only(t)["trace_id"]; want != have {
		t.Errorf("want %q, have %q", want, have)
	}
}

func TestTraceIDOfTraceparent(t *testing.T) {
	t.Parallel()
	const id = "4bf92f3577b34da6a3ce929d0e0e4736"
	for parent, want := range map[string]string{
		traceparent: id,
		"01-" + id + "-00f067aa0ba902b7-01-later": id,
		"":                                      "",
		"00-" + id:                              "",
		traceparent + "-more":                   "",
		"01-" + id + "-00f067aa0ba902b7-01more": "",
		"ff-" + id + "-00f067aa0ba902b7-01":     "",
		"00-00000000000000000000000000000000-00f067aa0ba902b7-01":  "",
		"00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01":  "",
		"00-4bf92f3577b34da6a3ce929d0e0e473\n-00f067aa0ba902b7-01": "",
		"00_" + id + "_00f067aa0ba902b7_01":                        "",
	} {
		var out recorder
		ctx, _ := transport.NewServerContext(t.Context(), transport.Info{Request: transport.HeaderMap{"Traceparent": {parent}}})
		_, _ = served(&out, 0, nil)(ctx, 1)
		if have := out.only(t)["trace_id"]; want != have {
			t.Errorf("%q: want %q, have %q", parent, want, have)
		}
	}
}

func TestMistakesInOptionsPanic(t *testing.T) {
	t.Parallel()
	var out recorder
	for want, construct := range map[string]func(){
		"log: Middleware: Slow with a threshold of 0s, want more than 0": func() { log.Middleware(&out, log.Slow(0)) },
		"log: Middleware: SampleEvery of 0, want more than 0":            func() { log.Middleware(&out, log.SampleEvery(0)) },
		"log: Middleware: SamplePerSecond of -1, want more than 0":       func() { log.Middleware(&out, log.SamplePerSecond(-1)) },
		"log: Middleware: CodeLevel of code(99), which is no code":       func() { log.Middleware(&out, log.CodeLevel(log.LevelInfo, 99)) },
		"log: Middleware: Fields of a nil function":                      func() { log.Middleware(&out, log.Fields(nil)) },
		"log: Middleware: TraceID of a nil function":                     func() { log.Middleware(&out, log.TraceID(nil)) },
		"log: Middleware: an option is nil":                              func() { log.Middleware(&out, log.CountMessages(), nil) },
		"log: Middleware: the Logger is nil":                             func() { log.Middleware(nil) },
		"log: New: an option is nil":                                     func() { log.New(io.Discard, nil) },
		"log: Redact: an option is nil":                                  func() { log.Redact(&out, nil) },
	} {
		have := func() (value any) {
			defer func() { value = recover() }()
			construct()
			return nil
		}()
		if have != any(want) {
			t.Errorf("want the panic %q, have %v", want, have)
		}
	}
}

// What is written for a line must not harm a call that has succeeded.
func TestPanicInFieldsOrTraceIDIsOnTheLine(t *testing.T) {
	t.Parallel()
	var out recorder
	response, err := served(&out, 0, nil,
		log.Fields(func(context.Context) []any { panic("no tenant") }),
		log.Fields(func(context.Context) []any { return []any{"zone", "a"} }),
		log.TraceID(func(context.Context) string { panic("no trace") }),
	)(t.Context(), 1)
	if response != 1 || err != nil {
		t.Fatalf("have %v, %v", response, err)
	}
	line := out.only(t)
	if line["fields"] != "!PANIC: no tenant" || line["zone"] != "a" || line["trace_id"] != "!PANIC: no trace" {
		t.Errorf("have %v", line)
	}
}
