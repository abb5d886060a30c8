// Package log is Ashlar's structured log: the one-method Logger of go-kit/log, with levels that cost nothing when they are
// off, a request log for endpoints of every kind, redaction, and adapters to and from log/slog.
//
//	logger := log.Redact(log.New(os.Stderr))
//	log.Info(logger).Log("msg", "listening", "addr", addr)
//	place := endpoint.New(spec, svc.Place, log.Middleware(logger, log.Slow(time.Second)))
//
// The layers stack: New, or any other go-kit Logger, writes lines; Filter lets through what is important enough; Redact hides
// what nobody may read; With adds what every line shall say. Redact stands next to what writes, so that it sees
// everything that is added further out.
//
// Levels are those of go-kit/log/level: what its functions put on a line, Filter and FromSlog understand, and its
// NewFilter understands what Debug, Info, Warn and Error put there.
package log
