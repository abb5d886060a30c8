package log

import (
	"context"
	"log/slog"
	"reflect"
	"time"

	kitlog "github.com/go-kit/log"
	"github.com/go-kit/log/level"
)

// FromSlog returns a Logger that writes to the handler of log/slog, which a *slog.Logger gives by its Handler method.
//
// The level of a line is its go-kit level, info where it has none; the handler's own Enabled decides whether it is written. The
// first text under the key "msg" is the message, and the first time.Time under "time" the time, instead of the
// present. All else becomes attributes in its order: a key that is no string by its text, or "!BADKEY", a value that is
// missing as "(MISSING)".
func FromSlog(handler slog.Handler) Logger { return &fromSlog{handler: handler} }

type fromSlog struct{ handler slog.Handler }

// Enabled asks the handler.
func (f *fromSlog) Enabled(l Level) bool { return f.handler.Enabled(context.Background(), l) }

func (f *fromSlog) Log(keyvals ...any) error {
	l, _ := levelOf(keyvals)
	if !f.Enabled(l) {
		return nil
	}
	var (
		message                       string
		when                          time.Time
		hasLevel, hasMessage, hasTime bool
		attrs                         = make([]slog.Attr, 0, len(keyvals)/2+1)
	)
	for i := 0; i < len(keyvals); i += 2 {
		var value any = kitlog.ErrMissingValue.Error()
		if i+1 < len(keyvals) {
			value = keyvals[i+1]
		}
		key := keyText(keyvals[i])
		switch v := value.(type) {
		case level.Value:
			if !hasLevel {
				hasLevel = true
				continue
			}
		case string:
			if key == messageKey && !hasMessage {
				message, hasMessage = v, true
				continue
			}
		case time.Time:
			if key == timeKey && !hasTime {
				when, hasTime = v, true
				continue
			}
		}
		attrs = append(attrs, slog.Any(key, attrValue(value)))
	}
	if !hasTime {
		when = time.Now()
	}
	record := slog.NewRecord(when, l, message, 0)
	record.AddAttrs(attrs...)
	return f.handler.Handle(context.Background(), record)
}

// attrValue returns value as it may be given to any handler: log/slog's own writes a *status.Error by MarshalJSON, which leaves
// out the cause.
func attrValue(value any) any {
	switch err, ok := value.(error); {
	case !ok:
		return value
	case isNil(reflect.ValueOf(err)):
		return nil
	default:
		return guarded(err.Error)
	}
}
