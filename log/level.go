package log

import (
	"log/slog"

	kitlog "github.com/go-kit/log"
	"github.com/go-kit/log/level"
)

// Level is how important a line is. It is slog's type, so that it is ordered, and can be read from flags and files; on a
// line it stands as one of go-kit's four.
type Level = slog.Level

// The levels of a line, in rising order.
const (
	LevelDebug = slog.LevelDebug // for whoever looks for a fault
	LevelInfo  = slog.LevelInfo  // what happens in normal operation
	LevelWarn  = slog.LevelWarn  // worth a look some day
	LevelError = slog.LevelError // worth a look now
)

// Enabler is what a Logger also is when it can tell its level without writing a line.
type Enabler interface {
	// Enabled reports whether lines of the level are written. It is safe for concurrent use, and is asked for each call.
	Enabled(level Level) bool
}

// Enabled reports whether logger would write a line of the level, so that nothing need be computed for one that it would not:
//
//	if log.Enabled(logger, log.LevelDebug) {
//		log.Debug(logger).Log("state", expensive())
//	}
//
// It allocates nothing. What New, Filter and FromSlog return are Enablers, and With and Redact see through to these. Of any
// other Logger, such as one filtered by go-kit's level.NewFilter or decorated by go-kit's With, nothing can be known
// before it is given a line: the answer is true, and the line is dropped where it arrives.
func Enabled(logger Logger, level Level) bool {
	e, ok := logger.(Enabler)
	return !ok || e.Enabled(level)
}

// Debug returns a Logger whose lines have the level debug; one that does nothing when that is off.
func Debug(logger Logger) Logger { return at(logger, LevelDebug) }

// Info returns a Logger whose lines have the level info; one that does nothing when that is off.
func Info(logger Logger) Logger { return at(logger, LevelInfo) }

// Warn returns a Logger whose lines have the level warn; one that does nothing when that is off.
func Warn(logger Logger) Logger { return at(logger, LevelWarn) }

// Error returns a Logger whose lines have the level error; one that does nothing when that is off.
func Error(logger Logger) Logger { return at(logger, LevelError) }

func at(logger Logger, l Level) Logger {
	if !Enabled(logger, l) {
		return nop
	}
	if c, ok := logger.(*contextual); ok {
		logger = c.Logger // the level is known, and a Valuer that looks for its caller counts the layers
	}
	return kitlog.WithPrefix(logger, level.Key(), levelValue(l))
}

var nop = kitlog.NewNopLogger()

// levelValue returns go-kit's level for l: the highest that is not above it.
func levelValue(l Level) level.Value {
	switch {
	case l >= LevelError:
		return level.ErrorValue()
	case l >= LevelWarn:
		return level.WarnValue()
	case l >= LevelInfo:
		return level.InfoValue()
	}
	return level.DebugValue()
}

// levelOf returns the level of a line, which go-kit recognises by the value alone.
func levelOf(keyvals []any) (Level, bool) {
	for i := 1; i < len(keyvals); i += 2 {
		if v, ok := keyvals[i].(level.Value); ok {
			return fromValue(v), true
		}
	}
	return 0, false
}

func fromValue(v level.Value) Level {
	switch v {
	case level.ErrorValue():
		return LevelError
	case level.WarnValue():
		return LevelWarn
	case level.InfoValue():
		return LevelInfo
	}
	return LevelDebug
}
