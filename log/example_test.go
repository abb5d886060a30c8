package log_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"slices"

	kitlog "github.com/go-kit/log"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/log"
	"github.com/ashlar-go/ashlar/status"
)

func Example() {
	logger := log.Redact(log.New(os.Stdout, log.NoTime()))
	logger = log.With(logger, "service", "orders")

	log.Info(logger).Log("msg", "listening", "addr", ":8080")
	log.Warn(logger).Log("msg", "login failed", "user", "ann", "password", "hunter2")
	log.Debug(logger).Log("msg", "not written")
	// Output:
	// level=info service=orders msg=listening addr=:8080
	// level=warn service=orders msg="login failed" user=ann password=[redacted]
}

func ExampleNew() {
	logger := log.New(os.Stdout, log.NoTime(), log.JSON())
	log.Info(logger).Log("msg", "placed", "items", []string{"lamp", "desk"})

	logger.SetLevel(log.LevelError)
	log.Info(logger).Log("msg", "not written")
	// Output:
	// {"items":["lamp","desk"],"level":"info","msg":"placed"}
}

func ExampleEnabled() {
	logger := log.New(os.Stdout, log.NoTime())
	if log.Enabled(logger, log.LevelDebug) {
		log.Debug(logger).Log("state", "nothing here is computed")
	}
	logger.SetLevel(log.LevelDebug)
	if log.Enabled(logger, log.LevelDebug) {
		log.Debug(logger).Log("state", "now it is")
	}
	// Output:
	// level=debug state="now it is"
}

func ExampleMiddleware() {
	logger := without(log.New(os.Stdout, log.NoTime()), "duration")
	spec := endpoint.Spec{Service: "orders", Method: "Find"}
	find := endpoint.New(spec, func(_ context.Context, id int) (string, error) {
		switch id {
		case 1:
			return "lamp", nil
		case 2:
			return "", status.New(status.NotFound, "no such order").WithCause(errors.New("sql: no rows"))
		}
		panic("not reached")
	}, log.Middleware(logger))

	for id := range 2 {
		_, _ = find(context.Background(), id+1)
	}
	// Output:
	// level=info msg=call side=server operation=orders/Find kind=unary code=ok
	// level=info msg=call side=server operation=orders/Find kind=unary code=not_found err="not_found: no such order: sql: no rows"
}

// without leaves out what is not the same each time.
func without(next log.Logger, keys ...any) log.Logger {
	return kitlog.LoggerFunc(func(keyvals ...any) error {
		var line []any
		for i := 0; i < len(keyvals); i += 2 {
			if !slices.Contains(keys, keyvals[i]) {
				line = append(line, keyvals[i], keyvals[i+1])
			}
		}
		return next.Log(line...)
	})
}

func ExampleRedact() {
	type card struct {
		Owner  string `json:"owner"`
		Number string `json:"number" log:"redact"`
		CVC    string `json:"cvc"    log:"-"`
	}
	logger := log.Redact(log.New(os.Stdout, log.NoTime(), log.JSON()), log.RedactKeys("tax_id"))

	logger.Log("card", card{Owner: "Ann", Number: "4111111111111111", CVC: "123"})
	logger.Log("header", http.Header{"Authorization": {"Bearer x"}, "Accept": {"*/*"}})
	logger.Log("taxID", 12345)
	// Output:
	// {"card":{"owner":"Ann","number":"[redacted]"}}
	// {"header":{"Accept":["*/*"],"Authorization":"[redacted]"}}
	// {"taxID":"[redacted]"}
}

func ExampleNewSlogHandler() {
	logger := slog.New(log.NewSlogHandler(log.Redact(log.New(os.Stdout, log.NoTime()))))
	logger.WithGroup("request").Info("login", "user", "ann", "token", "abc")
	// Output:
	// level=info msg=login request.user=ann request.token=[redacted]
}

func ExampleFromSlog() {
	handler := slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		},
	})
	logger := log.FromSlog(handler)
	log.Warn(logger).Log("msg", "slow disk", "ms", 250, "forgotten") //nolint:loggercheck // a forgotten value is the point
	// Output:
	// level=WARN msg="slow disk" ms=250 forgotten=(MISSING)
}
