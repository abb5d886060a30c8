package log_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/slogtest"
	"testing/synctest"
	"time"

	kitlog "github.com/go-kit/log"
	"github.com/go-kit/log/level"
	"github.com/go-logfmt/logfmt"

	"github.com/ashlar-go/ashlar/log"
	"github.com/ashlar-go/ashlar/status"
)

// The sinks write no time of their own, since slogtest demands that a record without one has none.
var sinks = map[string]struct {
	sink  func(*bytes.Buffer) log.Logger
	parse func(*testing.T, []byte) []map[string]any
}{
	"JSON":    {func(b *bytes.Buffer) log.Logger { return kitlog.NewJSONLogger(b) }, parseJSON},
	"logfmt":  {func(b *bytes.Buffer) log.Logger { return kitlog.NewLogfmtLogger(b) }, parseLogfmt},
	"redact":  {func(b *bytes.Buffer) log.Logger { return log.Redact(kitlog.NewJSONLogger(b)) }, parseJSON},
	"filter":  {func(b *bytes.Buffer) log.Logger { return log.Filter(kitlog.NewJSONLogger(b), log.LevelInfo) }, parseJSON},
	"to slog": {func(b *bytes.Buffer) log.Logger { return log.With(fromSlogJSON(b), "service", "orders") }, parseJSON},
}

// fromSlogJSON gives a line without a time the zero time, which slog's handler leaves out, and not the present.
func fromSlogJSON(b *bytes.Buffer) log.Logger {
	logger := log.FromSlog(slog.NewJSONHandler(b, nil))
	return kitlog.LoggerFunc(func(keyvals ...any) error {
		if !slices.Contains(keyvals, any("time")) {
			keyvals = append([]any{"time", time.Time{}}, keyvals...)
		}
		return logger.Log(keyvals...)
	})
}

func TestSlogHandlerPassesSlogtest(t *testing.T) {
	t.Parallel()
	for name, test := range sinks {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			err := slogtest.TestHandler(log.NewSlogHandler(test.sink(&out)), func() []map[string]any { return test.parse(t, out.Bytes()) })
			if err != nil {
				t.Error(err)
			}
		})
	}
}

func TestSlogHandlerPassesSlogtestRun(t *testing.T) {
	t.Parallel()
	for name, test := range sinks {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			slogtest.Run(t, func(*testing.T) slog.Handler {
				out.Reset()
				return log.NewSlogHandler(test.sink(&out))
			}, func(t *testing.T) map[string]any { t.Helper(); return test.parse(t, out.Bytes())[0] })
		})
	}
}

func parseJSON(t *testing.T, data []byte) (lines []map[string]any) {
	t.Helper()
	for line := range bytes.Lines(data) {
		flat := map[string]any{}
		if err := json.Unmarshal(line, &flat); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, nest(flat))
	}
	return lines
}

func parseLogfmt(t *testing.T, data []byte) (lines []map[string]any) {
	t.Helper()
	dec := logfmt.NewDecoder(bytes.NewReader(data))
	for dec.ScanRecord() {
		flat := map[string]any{}
		for dec.ScanKeyval() {
			flat[string(dec.Key())] = string(dec.Value())
		}
		lines = append(lines, nest(flat))
	}
	if dec.Err() != nil {
		t.Fatal(dec.Err())
	}
	return lines
}

// nest makes groups of dotted keys.
func nest(flat map[string]any) map[string]any {
	root := map[string]any{}
	for key, value := range flat {
		at := root
		parts := strings.Split(key, ".")
		for _, group := range parts[:len(parts)-1] {
			if at[group] == nil {
				at[group] = map[string]any{}
			}
			at = at[group].(map[string]any) //nolint:forcetypeassert // a wrong one fails the test
		}
		at[parts[len(parts)-1]] = value
	}
	return root
}

func TestSlogGroupsBecomeDottedKeys(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	logger := slog.New(log.NewSlogHandler(log.New(&out, log.NoTime())))
	logger.With("a", 1).WithGroup("g").With("b", 2).Warn("m", slog.Group("h", "c", 3), "d", errors.New("e"), "t", time.Second)
	if want, have := "level=warn msg=m a=1 g.b=2 g.h.c=3 g.d=e g.t=1s\n", out.String(); want != have {
		t.Errorf("want %s, have %s", want, have)
	}
}

func TestSiblingsOfASlogLoggerDoNotMix(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	base := slog.New(log.NewSlogHandler(log.New(&out, log.NoTime()))).With("a", 1, "b", 2, "c", 3)
	one, two := base.With("x", 1), base.With("x", 2)
	one.Info("m")
	two.Info("m")
	want := "level=info msg=m a=1 b=2 c=3 x=1\nlevel=info msg=m a=1 b=2 c=3 x=2\n"
	if have := out.String(); want != have {
		t.Errorf("want %s, have %s", want, have)
	}
}

func TestSlogGroupWithoutANameIsNone(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	slog.New(log.NewSlogHandler(log.New(&out, log.NoTime())).WithGroup("")).Info("m", "a", 1)
	if want, have := "level=info msg=m a=1\n", out.String(); want != have {
		t.Errorf("want %s, have %s", want, have)
	}
}

func TestFromSlogTellsThePresent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		_ = log.FromSlog(slog.NewTextHandler(&out, nil)).Log("msg", "x")
		if want, have := "time=2000-01-01T00:00:00.000Z level=INFO msg=x\n", out.String(); want != have {
			t.Errorf("want %s, have %s", want, have)
		}
	})
}

func TestSlogHandlerReturnsTheLoggersError(t *testing.T) {
	t.Parallel()
	want := errors.New("disk full")
	logger := kitlog.LoggerFunc(func(...any) error { return want })
	have := log.NewSlogHandler(logger).Handle(t.Context(), slog.Record{})
	if !errors.Is(have, want) {
		t.Errorf("want %v, have %v", want, have)
	}
}

func TestFromSlog(t *testing.T) {
	t.Parallel()
	when := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for name, test := range map[string]struct {
		keyvals []any
		want    string
	}{
		"nothing":         {nil, `level=INFO msg=""`},
		"message":         {[]any{"msg", "hi", "k", 1}, `level=INFO msg=hi k=1`},
		"level":           {[]any{level.Key(), level.ErrorValue(), "msg", "hi"}, `level=ERROR msg=hi`},
		"level elsewhere": {[]any{"msg", "hi", "severity", level.WarnValue()}, `level=WARN msg=hi`},
		"below the level": {[]any{level.Key(), level.DebugValue(), "msg", "hi"}, ``},
		"two messages":    {[]any{"msg", "a", "msg", "b"}, `level=INFO msg=a msg=b`},
		"message no text": {[]any{"msg", 1}, `level=INFO msg="" msg=1`},
		"missing value":   {[]any{"msg", "hi", "k"}, `level=INFO msg=hi k=(MISSING)`},
		"missing message": {[]any{"msg"}, `level=INFO msg=(MISSING)`},
		"number key":      {[]any{7, "x"}, `level=INFO msg="" 7=x`},
		"Stringer key":    {[]any{stringer("s"), "x"}, `level=INFO msg="" s=x`},
		"nil key":         {[]any{nil, "x"}, `level=INFO msg="" !BADKEY=x`},
		"panicking key":   {[]any{shouter{}, "x"}, `level=INFO msg="" %!v(PANICStringmethod:no)=x`},
		"panicking value": {[]any{"k", shouter{}}, `level=INFO msg="" k="%!v(PANIC=String method: no)"`},
		"nil values":      {[]any{"k", nil, "e", nilError()}, `level=INFO msg="" k=<nil> e=<nil>`},
		"time":            {[]any{"time", when, "msg", "x"}, `time=2026-01-02T03:04:05.000Z level=INFO msg=x`},
		"cause": {
			[]any{"err", status.New(status.NotFound, "no").WithCause(errors.New("sql"))},
			`level=INFO msg="" err="not_found: no: sql"`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			handler := slog.NewTextHandler(&out, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
				if a.Key == slog.TimeKey && !a.Value.Time().Equal(when) {
					return slog.Attr{}
				}
				return a
			}})
			if err := log.FromSlog(handler).Log(test.keyvals...); err != nil {
				t.Fatal(err)
			}
			if have := strings.TrimSuffix(out.String(), "\n"); test.want != have {
				t.Errorf("want %s, have %s", test.want, have)
			}
		})
	}
}

// A status must not reach a JSON handler as what a caller may see of it.
func TestFromSlogKeepsTheCauseInJSON(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	err := status.New(status.NotFound, "no").WithCause(errors.New("sql"))
	_ = log.FromSlog(slog.NewJSONHandler(&out, nil)).Log("err", err)
	if !strings.Contains(out.String(), `"err":"not_found: no: sql"`) {
		t.Error(out.String())
	}
}

func TestFromSlogReturnsTheHandlersError(t *testing.T) {
	t.Parallel()
	want := errors.New("disk full")
	if have := log.FromSlog(failingHandler{slog.DiscardHandler, want}).Log("k", "v"); !errors.Is(have, want) {
		t.Errorf("want %v, have %v", want, have)
	}
}

type failingHandler struct {
	slog.Handler

	err error
}

func (failingHandler) Enabled(context.Context, slog.Level) bool        { return true }
func (f failingHandler) Handle(_ context.Context, _ slog.Record) error { return f.err }

func FuzzFromSlogNeverPanics(f *testing.F) {
	f.Add("k", "v", true)
	f.Add("", "\x00", false)
	f.Fuzz(func(t *testing.T, key, value string, odd bool) {
		var out bytes.Buffer
		keyvals := []any{key, value, &key, []byte(value)}
		if odd {
			keyvals = append(keyvals, value)
		}
		if err := log.FromSlog(slog.NewJSONHandler(&out, nil)).Log(keyvals...); err != nil {
			t.Fatal(err)
		}
		if !json.Valid(out.Bytes()) {
			t.Errorf("%q", out.String())
		}
	})
}
