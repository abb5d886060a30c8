package log_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-logfmt/logfmt"

	"github.com/ashlar-go/ashlar/log"
	"github.com/ashlar-go/ashlar/status"
)

// counter counts the writes that it passes on, and is not safe for concurrent use.
type counter struct {
	bytes.Buffer

	writes int
}

func (c *counter) Write(p []byte) (int, error) {
	c.writes++
	return c.Buffer.Write(p)
}

func TestLineIsLogfmtWithTimeInUTC(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var out counter
		if err := log.New(&out).Log("msg", "hello world", "n", 1); err != nil {
			t.Fatal(err)
		}
		want, have := "time=2000-01-01T00:00:00Z msg=\"hello world\" n=1\n", out.String()
		if want != have || out.writes != 1 {
			t.Errorf("want %q in 1 write, have %q in %d", want, have, out.writes)
		}
	})
}

func TestJSONLine(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var out counter
		if err := log.New(&out, log.JSON()).Log("msg", "a < b", "n", 1, "tags", []string{"<x>"}); err != nil {
			t.Fatal(err)
		}
		want, have := `{"msg":"a < b","n":1,"tags":["<x>"],"time":"2000-01-01T00:00:00Z"}`+"\n", out.String()
		if want != have || out.writes != 1 {
			t.Errorf("want %q in 1 write, have %q in %d", want, have, out.writes)
		}
	})
}

func TestTimeOfTheCallerReplacesTheClock(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	when := time.Date(2026, 3, 4, 5, 6, 7, 8, time.FixedZone("", 3600))
	if err := log.New(&out).Log("msg", "x", "time", when); err != nil {
		t.Fatal(err)
	}
	if want, have := "msg=x time=2026-03-04T04:06:07.000000008Z\n", out.String(); want != have {
		t.Errorf("want %q, have %q", want, have)
	}
}

type (
	list    struct{ Next *list }
	shouter struct{}
	price   struct{}
	broken  struct{}
	myFloat float32
)

func (price) String() string { return "1 EUR" }

func (price) MarshalJSON() ([]byte, error) { return []byte("1"), nil }

func (shouter) String() string              { panic("no") }
func (broken) MarshalText() ([]byte, error) { return nil, errors.New("no text") }
func stack(c string) (s struct{ A, B any }) { s.A, s.B = c, nil; return s }
func nilError() error                       { var e *status.Error; return e }
func cycle() *list                          { l := &list{}; l.Next = l; return l }
func deep(n int) (v any) {
	for range n {
		v = []any{v}
	}
	return v
}

// Each of these loses a line, or what is in it, with go-kit's encoders alone.
func TestNoValueLosesALine(t *testing.T) {
	t.Parallel()
	text := "text"
	for name, test := range map[string]struct {
		key    any
		value  any
		logfmt string
		json   string
	}{
		"struct":           {"k", stack("v"), `k="{\"A\":\"v\",\"B\":null}"`, `{"k":{"A":"v","B":null}}`},
		"map":              {"k", map[string]int{"b": 2, "a": 1}, `k="{\"a\":1,\"b\":2}"`, `{"k":{"a":1,"b":2}}`},
		"nil slice":        {"k", []int(nil), `k=null`, `{"k":null}`},
		"pointer":          {"k", &text, `k=text`, `{"k":"text"}`},
		"cycle":            {"k", cycle(), `k="{\"Next\":\"[cycle]\"}"`, `{"k":{"Next":"[cycle]"}}`},
		"not a number":     {"k", math.NaN(), `k=NaN`, `{"k":"NaN"}`},
		"infinite float32": {"k", myFloat(math.Inf(1)), `k=+Inf`, `{"k":"+Inf"}`},
		"nested infinity":  {"k", []float64{math.Inf(1)}, `k="[\"!ERROR: json: unsupported value: +Inf\"]"`, `{"k":["!ERROR: json: unsupported value: +Inf"]}`},
		"func":             {"k", func() {}, `k=func()`, `{"k":"func()"}`},
		"complex":          {"k", 1i, `k=complex128`, `{"k":"complex128"}`},
		"panic in String":  {"k", shouter{}, `k="!PANIC: no"`, `{"k":"!PANIC: no"}`},
		"nested panic":     {"k", []any{shouter{}}, `k="[\"!PANIC: no\"]"`, `{"k":["!PANIC: no"]}`},
		"failing text":     {"k", broken{}, `k="!ERROR: no text"`, `{"k":"!ERROR: no text"}`},
		"nil *Error":       {"k", nilError(), `k=null`, `{"k":null}`},
		"bytes":            {"k", []byte("raw"), `k=raw`, `{"k":"raw"}`},
		"nil key":          {nil, 1, `!BADKEY=1`, `{"!BADKEY":1}`},
		"empty key":        {"", 1, `!BADKEY=1`, `{"!BADKEY":1}`},
		"space key":        {" \n", 1, `!BADKEY=1`, `{"!BADKEY":1}`},
		"key of no text":   {"\xff", 1, `!BADKEY=1`, `{"!BADKEY":1}`},
		"struct key":       {struct{ A int }{1}, 1, `{1}=1`, `{"{1}":1}`},
		"panicking key":    {shouter{}, 1, `%!v(PANICStringmethod:no)=1`, `{"%!v(PANICStringmethod:no)":1}`},
		"duration":         {"k", time.Second, `k=1s`, `{"k":"1s"}`},
		"wrapped errors":   {"k", []error{errors.New("e")}, `k="[\"e\"]"`, `{"k":["e"]}`},
		"raw JSON":         {"k", json.RawMessage(`{"a":1}`), `k="{\"a\":1}"`, `{"k":{"a":1}}`},
		"text and JSON":    {"k", price{}, `k="1 EUR"`, `{"k":1}`},
		"broken raw JSON":  {"k", json.RawMessage(`{`), "", ""},
		"deep":             {"k", deep(100), "", ""},
		"long":             {"k", make([]int, 100_000), "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var text, object bytes.Buffer
			if err := log.New(&text, log.NoTime()).Log(test.key, test.value); err != nil {
				t.Error("logfmt:", err)
			}
			if err := log.New(&object, log.NoTime(), log.JSON()).Log(test.key, test.value); err != nil {
				t.Error("JSON:", err)
			}
			if test.logfmt != "" && text.String() != test.logfmt+"\n" {
				t.Errorf("logfmt: want %s, have %s", test.logfmt, text.String())
			}
			if test.json != "" && object.String() != test.json+"\n" {
				t.Errorf("JSON: want %s, have %s", test.json, object.String())
			}
			if !json.Valid(object.Bytes()) || text.Len() == 0 || text.Len() > 1<<20 {
				t.Errorf("logfmt of %d bytes, JSON %.200s", text.Len(), object.String())
			}
		})
	}
}

func TestMissingValueIsMarked(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := log.New(&out, log.NoTime()).Log("msg", "x", "k"); err != nil {
		t.Fatal(err)
	}
	if want, have := "msg=x k=(MISSING)\n", out.String(); want != have {
		t.Errorf("want %q, have %q", want, have)
	}
}

// A status writes itself as JSON for callers, who do not get the cause.
func TestErrorIsWrittenWithItsCause(t *testing.T) {
	t.Parallel()
	err := status.New(status.NotFound, "no such order").WithCause(errors.New("sql: no rows"))
	for _, opts := range [][]log.WriterOption{nil, {log.JSON()}} {
		var out bytes.Buffer
		if err := log.New(&out, opts...).Log("err", err, "all", []any{err}); err != nil {
			t.Fatal(err)
		}
		if want, have := 2, strings.Count(out.String(), "not_found: no such order: sql: no rows"); want != have {
			t.Errorf("want the text %d times, have %s", want, out.String())
		}
	}
}

func TestErrorOfTheWriterIsReturned(t *testing.T) {
	t.Parallel()
	want := errors.New("disk full")
	if have := log.New(failing{want}).Log("k", "v"); !errors.Is(have, want) {
		t.Errorf("want %v, have %v", want, have)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

func TestConcurrentLinesStayWhole(t *testing.T) {
	t.Parallel()
	const goroutines, lines = 8, 100
	for _, opts := range [][]log.WriterOption{nil, {log.JSON()}} {
		var (
			out counter
			wg  sync.WaitGroup
		)
		logger := log.Redact(log.New(&out, opts...))
		for g := range goroutines {
			wg.Go(func() {
				for i := range lines {
					_ = log.Info(log.With(logger, "g", g)).Log("i", i, "password", "x", "v", map[string]any{"token": i})
				}
			})
		}
		wg.Wait()
		if want, have := goroutines*lines, out.writes; want != have {
			t.Errorf("want %d writes, have %d", want, have)
		}
		for line := range strings.Lines(out.String()) {
			if strings.Count(line, "level") != 1 || strings.Count(line, "redacted") != 2 {
				t.Fatalf("torn line %q", line)
			}
		}
	}
}

// lineBreakers are what some terminal, viewer or collector takes for the end of a line or for a command.
const lineBreakers = "\n\r\v\f\x1b\x00\x7f\u0085\u009b\u2028\u2029\u202e\u2066\u200e\u200f\u061c"

type stringer string

func (s stringer) String() string { return string(s) }

func injections(text string) []any {
	return []any{
		text, errors.New(text), stringer(text), []byte(text), &text, []string{text}, map[string]string{text: text},
		struct{ A any }{errors.New(text)}, status.New(status.NotFound, text),
	}
}

func TestValuesCannotForgeALine(t *testing.T) {
	t.Parallel()
	forged := "x" + lineBreakers + "level=error msg=\"forged\" \",\"level\":\"error"
	for i, value := range injections(forged) {
		checkWhole(t, fmt.Sprint("value ", i), "key", value)
		checkWhole(t, fmt.Sprint("key ", i), value, "value")
	}
}

func FuzzLineCannotBeForged(f *testing.F) {
	f.Add("key", "x\nlevel=error")
	f.Add("a=b\nc", "\" level=error \\")
	f.Add("\xc2\x85", "\xe2\x80\xa8\xff")
	f.Fuzz(func(t *testing.T, key, value string) {
		checkWhole(t, "fuzz", key, value)
		checkWhole(t, "fuzz", "k", map[string]any{key: value})
	})
}

// checkWhole checks that a line with one key of the caller's has that one key and no character that misleads.
func checkWhole(t *testing.T, name string, key, value any) {
	t.Helper()
	var text, object bytes.Buffer
	if err := log.New(&text, log.NoTime()).Log(key, value); err != nil {
		t.Fatal(name, err)
	}
	if err := log.New(&object, log.NoTime(), log.JSON()).Log(key, value); err != nil {
		t.Fatal(name, err)
	}
	for _, line := range []string{text.String(), object.String()} {
		body, ended := strings.CutSuffix(line, "\n")
		if !ended || strings.ContainsAny(body, lineBreakers) {
			t.Errorf("%s: the line %q", name, line)
		}
	}
	dec, n := logfmt.NewDecoder(&text), 0
	for dec.ScanRecord() {
		for dec.ScanKeyval() {
			n++
		}
	}
	if dec.Err() != nil || n != 1 {
		t.Errorf("%s: %d keys in logfmt, error %v", name, n, dec.Err())
	}
	var m map[string]any
	if err := json.Unmarshal(object.Bytes(), &m); err != nil || len(m) != 1 {
		t.Errorf("%s: JSON %q, error %v", name, object.String(), err)
	}
}
