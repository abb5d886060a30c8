package log

import (
	"io"
	"time"

	kitlog "github.com/go-kit/log"

	"github.com/ashlar-go/ashlar/internal/option"
)

// The keys that lines of this package begin with.
const (
	timeKey    = "time"
	levelKey   = "level"
	messageKey = "msg"
)

// WriterOption changes what New makes.
type WriterOption func(*writerConfig) error

type writerConfig struct {
	level  Level
	json   bool
	noTime bool
}

// JSON makes each line a JSON object, whose keys are sorted; of a key that comes twice the last value stays.
func JSON() WriterOption {
	return func(c *writerConfig) error {
		c.json = true
		return nil
	}
}

// MinLevel drops lines below level, instead of below info, until SetLevel changes that.
func MinLevel(level Level) WriterOption {
	return func(c *writerConfig) error {
		c.level = level
		return nil
	}
}

// NoTime leaves out the time, also that of a caller or of log/slog, for where whatever reads the lines notes it, such as journald.
func NoTime() WriterOption {
	return func(c *writerConfig) error {
		c.noTime = true
		return nil
	}
}

// New returns a Logger that writes each line to w by a single Write, one at a time. A line begins with the time, in UTC as of
// RFC 3339 with nanoseconds, unless a time.Time is under the key "time" already; it is logfmt unless an option says
// otherwise. Lines below info are dropped; see MinLevel and SetLevel.
//
// No value loses a line or makes two of it. Control characters, and the Unicode characters that break or reorder lines, are
// escaped. An error is written as its text; a struct, slice or map as JSON, without the fields that have a log tag
// (see Redact); what cannot be encoded as what is wrong with it. A key that is empty or nil becomes "!BADKEY", and a
// value that is missing "(MISSING)".
//
// No value makes a line too long for those who collect them. A text has at most 64 KiB and a key 1 KiB; a value that is
// written as JSON has 32 levels, 4096 members and elements, and about 256 KiB. What is left out shows as "[...]"; of a larger map
// any members may be.
//
// Log fails where w.Write does, with that error wrapped.
func New(w io.Writer, opts ...WriterOption) *Leveled {
	c := writerConfig{level: LevelInfo}
	option.Apply("log: New", &c, opts)
	out := &writer{values: &renderer{preferJSON: c.json}, noTime: c.noTime}
	if c.json {
		out.encoder = kitlog.NewJSONLogger(&lineWriter{w: w})
	} else {
		out.encoder = kitlog.NewLogfmtLogger(&lineWriter{w: w})
	}
	return Filter(out, c.level)
}

// writer prepares lines for go-kit's encoders, which lose a line for a key or a value that they cannot encode.
type writer struct {
	encoder kitlog.Logger
	values  *renderer
	noTime  bool
}

func (w *writer) Log(keyvals ...any) error {
	const extra = 3 // the time and a missing value
	line := make([]any, 0, len(keyvals)+extra)
	if !w.noTime && !hasTime(keyvals) {
		line = append(line, timeKey, kitlog.DefaultTimestampUTC())
	}
	for i := 0; i < len(keyvals); i += 2 {
		var value any = kitlog.ErrMissingValue
		if i+1 < len(keyvals) {
			value = keyvals[i+1]
		}
		key := keyText(keyvals[i])
		if t, ok := value.(time.Time); ok && key == timeKey {
			if w.noTime {
				continue
			}
			value = t.UTC()
		}
		line = append(line, cut(key, maxKey), w.values.printable(value))
	}
	return w.encoder.Log(line...)
}

func hasTime(keyvals []any) bool {
	for i := 1; i < len(keyvals); i += 2 {
		if _, ok := keyvals[i].(time.Time); ok && keyvals[i-1] == any(timeKey) {
			return true
		}
	}
	return false
}
