package log

import (
	"context"
	"log/slog"

	"github.com/go-kit/log/level"
)

// NewSlogHandler returns a slog.Handler that writes to logger, so that what is written by log/slog goes the way of
// everything else: its level, its redaction, its output.
//
// A line has the keys "time", unless the record has none, "level", "msg" and those of the attributes. Attributes in
// groups have the names of the groups before their own, as in "request.id". The level becomes the highest of the four
// that is not above it. The place in the source is not written.
func NewSlogHandler(logger Logger) slog.Handler { return &slogHandler{logger: logger} }

type slogHandler struct {
	logger  Logger
	prefix  string // the names of the open groups, each with a dot
	keyvals []any  // the attributes of WithAttrs; never appended to in place
}

func (h *slogHandler) Enabled(_ context.Context, l slog.Level) bool {
	return Enabled(h.logger, fromValue(levelValue(l)))
}

func (h *slogHandler) Handle(_ context.Context, r slog.Record) error {
	const fixed = 6 // the keys and values of time, level and message
	line := make([]any, 0, fixed+len(h.keyvals)+2*r.NumAttrs())
	if !r.Time.IsZero() {
		line = append(line, timeKey, r.Time)
	}
	line = append(line, level.Key(), levelValue(r.Level), messageKey, r.Message)
	line = append(line, h.keyvals...)
	for attr := range r.Attrs {
		line = appendAttr(line, h.prefix, attr)
	}
	return h.logger.Log(line...)
}

func (h *slogHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	if len(attrs) == 0 {
		return h
	}
	keyvals := make([]any, 0, len(h.keyvals)+2*len(attrs))
	keyvals = append(keyvals, h.keyvals...)
	for _, attr := range attrs {
		keyvals = appendAttr(keyvals, h.prefix, attr)
	}
	return &slogHandler{logger: h.logger, prefix: h.prefix, keyvals: keyvals}
}

func (h *slogHandler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	return &slogHandler{logger: h.logger, prefix: h.prefix + name + ".", keyvals: h.keyvals}
}

func appendAttr(line []any, prefix string, attr slog.Attr) []any {
	if attr.Equal(slog.Attr{}) {
		return line
	}
	value := attr.Value.Resolve()
	if value.Kind() != slog.KindGroup {
		return append(line, prefix+attr.Key, value.Any())
	}
	if attr.Key != "" {
		prefix += attr.Key + "."
	}
	for _, member := range value.Group() {
		line = appendAttr(line, prefix, member)
	}
	return line
}
