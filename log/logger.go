package log

import (
	"log/slog"

	kitlog "github.com/go-kit/log"
)

// Logger is go-kit's: Log writes one line of alternating keys and values. It is safe for concurrent use, and neither keeps
// nor changes the slice.
type Logger = kitlog.Logger

// Leveled is a Logger that drops the lines below a level, which may be changed while it is in use.
type Leveled struct {
	next  Logger
	level slog.LevelVar
}

// Filter returns a Logger that passes on to next the lines of at least the given level, and those without a level.
//
// A Logger of go-kit's level.NewFilter does the same, except that Enabled cannot know its level.
func Filter(next Logger, level Level) *Leveled {
	l := &Leveled{next: next}
	l.level.Set(level)
	return l
}

// Log writes a line unless its level is off.
func (l *Leveled) Log(keyvals ...any) error {
	if level, ok := levelOf(keyvals); ok && level < l.level.Level() {
		return nil
	}
	return l.next.Log(keyvals...)
}

// Enabled reports whether lines of the level are written, here and further down.
func (l *Leveled) Enabled(level Level) bool {
	return level >= l.level.Level() && Enabled(l.next, level)
}

// SetLevel changes the level, at once and for everybody.
func (l *Leveled) SetLevel(level Level) { l.level.Set(level) }

// Level returns the level below which lines are dropped.
func (l *Leveled) Level() Level { return l.level.Level() }

// With returns a Logger that puts keyvals in front of every line. It is go-kit's With, except that Enabled sees through it;
// a kitlog.Valuer among the values is evaluated for each line. One that looks for its caller, as kitlog.DefaultCaller,
// finds it through With, Debug, Info, Warn and Error, and not through go-kit's functions on top of these.
func With(logger Logger, keyvals ...any) Logger {
	if c, ok := logger.(*contextual); ok {
		return &contextual{Logger: kitlog.With(c.Logger, keyvals...), levels: c.levels}
	}
	levels, ok := logger.(Enabler)
	if !ok {
		return kitlog.With(logger, keyvals...)
	}
	return &contextual{Logger: kitlog.With(logger, keyvals...), levels: levels}
}

type contextual struct {
	Logger

	levels Enabler
}

// Enabled asks the logger below.
func (c *contextual) Enabled(level Level) bool { return c.levels.Enabled(level) }
