package log_test

import (
	"bytes"
	"log/slog"
	"strings"
	"sync"
	"testing"

	kitlog "github.com/go-kit/log"
	"github.com/go-kit/log/level"

	"github.com/ashlar-go/ashlar/log"
)

var levels = map[log.Level]func(log.Logger) log.Logger{
	log.LevelDebug: log.Debug, log.LevelInfo: log.Info, log.LevelWarn: log.Warn, log.LevelError: log.Error,
}

var kitLevels = map[log.Level]func(kitlog.Logger) kitlog.Logger{
	log.LevelDebug: level.Debug, log.LevelInfo: level.Info, log.LevelWarn: level.Warn, log.LevelError: level.Error,
}

// Every way to put a level on a line meets every way to filter.
func TestLinesBelowTheLevelAreDropped(t *testing.T) {
	t.Parallel()
	for lowest, allow := range map[log.Level]level.Option{
		log.LevelDebug: level.AllowDebug(), log.LevelInfo: level.AllowInfo(), log.LevelWarn: level.AllowWarn(), log.LevelError: level.AllowError(),
	} {
		for at := range levels {
			var out bytes.Buffer
			all := log.New(&out, log.NoTime(), log.MinLevel(log.LevelDebug))
			for name, logger := range map[string]log.Logger{
				"MinLevel":        log.New(&out, log.NoTime(), log.MinLevel(lowest)),
				"Filter":          log.Filter(kitlog.NewLogfmtLogger(&out), lowest),
				"With":            log.With(log.With(log.Filter(all, lowest), "a", 1), "b", 2),
				"Redact":          log.Redact(log.Filter(all, lowest)),
				"level.NewFilter": level.NewFilter(all, allow),
				"foreign With":    kitlog.With(log.Filter(all, lowest), "a", 1),
				"slog":            log.FromSlog(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: lowest})),
			} {
				for way, leveled := range map[string]log.Logger{"log": levels[at](logger), "level": kitLevels[at](logger)} {
					out.Reset()
					if err := leveled.Log("msg", "x"); err != nil {
						t.Fatal(err)
					}
					if want, have := at >= lowest, out.Len() > 0; want != have {
						t.Errorf("%s, by %s: %v at %v: want written %v, have %v", name, way, at, lowest, want, have)
					}
					if out.Len() > 0 && !strings.Contains(strings.ToLower(out.String()), "level="+strings.ToLower(at.String())) {
						t.Errorf("%s: no level %v in %s", name, at, out.String())
					}
				}
				foreign := strings.HasPrefix(name, "level.") || strings.HasPrefix(name, "foreign")
				if want, have := foreign || at >= lowest, log.Enabled(logger, at); want != have {
					t.Errorf("%s: Enabled(%v) at %v: want %v, have %v", name, at, lowest, want, have)
				}
			}
		}
	}
}

func TestLineWithoutLevelPasses(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	_ = log.New(&out, log.MinLevel(log.LevelError)).Log("msg", "x")
	if out.Len() == 0 {
		t.Error("want a line, have none")
	}
}

func TestLevelBetweenTheFourIsTheOneBelow(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	logger := slog.New(log.NewSlogHandler(log.New(&out, log.NoTime(), log.MinLevel(-100))))
	for l, want := range map[slog.Level]string{-8: "debug", -1: "debug", 3: "info", 5: "warn", 100: "error"} {
		out.Reset()
		logger.Log(t.Context(), l, "x")
		if have := out.String(); have != "level="+want+" msg=x\n" {
			t.Errorf("level %d: want %s, have %s", l, want, have)
		}
	}
}

func TestLevelChangesAtRunTime(t *testing.T) {
	t.Parallel()
	var (
		out    bytes.Buffer
		wg     sync.WaitGroup
		logger = log.New(&out)
	)
	derived := log.Redact(log.With(logger, "k", "v"))
	for want := range levels {
		logger.SetLevel(want)
		if have := logger.Level(); want != have {
			t.Errorf("want %v, have %v", want, have)
		}
		for l := range levels {
			if want, have := l >= want, log.Enabled(derived, l); want != have {
				t.Errorf("Enabled(%v): want %v, have %v", l, want, have)
			}
		}
	}
	wg.Go(func() { logger.SetLevel(log.LevelWarn) })
	wg.Go(func() { _ = log.Debug(derived).Log("k", "v") })
	wg.Wait()
}

func TestFiltersAddUp(t *testing.T) {
	t.Parallel()
	logger := log.Filter(log.Filter(kitlog.NewNopLogger(), log.LevelError), log.LevelDebug)
	if log.Enabled(logger, log.LevelInfo) || !log.Enabled(logger, log.LevelError) {
		t.Error("want the stricter of two filters")
	}
}

// A Valuer that looks for its caller counts the frames between them.
func TestWithKeepsTheCaller(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	logger := log.With(log.New(&out, log.NoTime()), "caller", kitlog.DefaultCaller)
	for name, logger := range map[string]log.Logger{
		"once": logger, "twice": log.With(logger, "k", "v"), "leveled": log.Info(logger),
	} {
		out.Reset()
		_ = logger.Log("msg", "x")
		if !strings.Contains(out.String(), "caller=level_test.go:") {
			t.Errorf("%s: %s", name, out.String())
		}
	}
}

func TestLevelThatIsOffAllocatesNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	var evaluated int
	expensive := func() any { evaluated++; return make([]byte, 10) }
	for name, logger := range offLoggers() {
		allocs := testing.AllocsPerRun(100, func() {
			if log.Enabled(logger, log.LevelDebug) {
				_ = log.Debug(logger).Log("k", expensive())
			}
			_ = log.Debug(logger)
		})
		if allocs != 0 || evaluated != 0 {
			t.Errorf("%s: want 0 allocations and evaluations, have %v and %d", name, allocs, evaluated)
		}
	}
}

func offLoggers() map[string]log.Logger {
	logger := log.New(&bytes.Buffer{})
	return map[string]log.Logger{
		"New": logger, "With": log.With(logger, "a", 1), "Redact": log.Redact(log.With(logger, "a", 1)),
		"FromSlog": log.FromSlog(slog.NewTextHandler(&bytes.Buffer{}, nil)),
	}
}

func BenchmarkLevelOff(b *testing.B) {
	for name, logger := range offLoggers() {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if log.Enabled(logger, log.LevelDebug) {
					_ = log.Debug(logger).Log("k", b.N)
				}
			}
		})
	}
}

func BenchmarkLine(b *testing.B) {
	for name, opts := range map[string][]log.WriterOption{"logfmt": nil, "JSON": {log.JSON()}} {
		b.Run(name, func(b *testing.B) {
			logger := log.New(discard{}, opts...)
			b.ReportAllocs()
			for b.Loop() {
				_ = log.Info(logger).Log("msg", "call", "operation", "orders/Place", "code", "ok", "n", 12)
			}
		})
	}
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }
