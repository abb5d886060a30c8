package log

import "github.com/ashlar-go/ashlar/transport"

// The form of a traceparent of version 00, by W3C Trace Context, section 3.2: version-trace-parent-flags, in lower-case
// hexadecimal. A later version may be longer.
const (
	traceHeader = "traceparent"
	traceStart  = len("00-")
	traceEnd    = traceStart + 32
	parentEnd   = traceEnd + len("-") + 16
	traceLength = parentEnd + len("-00")
)

// headerTraceID returns the trace that the request of a call names, "" for none.
func headerTraceID(info *transport.Info) string {
	if info == nil || info.Request == nil {
		return ""
	}
	return parseTraceID(info.Request.Get(traceHeader))
}

// parseTraceID returns the trace id in a traceparent, "" where that is not well formed.
func parseTraceID(parent string) string {
	if len(parent) < traceLength || parent[:2] == "ff" ||
		len(parent) > traceLength && (parent[:2] == "00" || parent[traceLength] != '-') {
		return ""
	}
	zero := true
	for i := range traceLength {
		c := parent[i]
		switch i {
		case traceStart - 1, traceEnd, parentEnd:
			if c != '-' {
				return ""
			}
			continue
		}
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return ""
		}
		zero = zero && (i < traceStart || i >= traceEnd || c == '0')
	}
	if zero {
		return ""
	}
	return parent[traceStart:traceEnd]
}
