package status_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/ashlar-go/ashlar/status"
)

func roundTrip(t *testing.T, e *status.Error) *status.Error {
	t.Helper()
	var decoded status.Error
	text := e.AppendProblem(nil, 0, "")
	if err := json.Unmarshal(text, &decoded); err != nil {
		t.Fatalf("decoding %s: %v", text, err)
	}
	return &decoded
}

func TestProblemIsRFC9457(t *testing.T) {
	t.Parallel()
	detail, err := status.NewDetail("shop.Stock", map[string]int{"left": 2})
	if err != nil {
		t.Fatal(err)
	}
	full := &status.Error{
		Code: status.FailedPrecondition, Message: "out of <stock>", Reason: "OUT_OF_STOCK", ID: "07", RetryAfter: 1500 * time.Millisecond,
		Violations: []status.Violation{{Field: "sku", Description: "gone"}}, Details: []status.Detail{detail},
	}
	for _, row := range []struct {
		name   string
		e      *status.Error
		status int
		title  string
		want   string
	}{
		{"full", full, 0, "", `{"title":"Bad Request","status":400,"detail":"out of <stock>","code":"failed_precondition","reason":"OUT_OF_STOCK",` +
			`"id":"07","retryAfter":"1.5s","violations":[{"field":"sku","description":"gone"}],"details":[{"type":"shop.Stock","value":{"left":2}}]}`},
		{"bare", status.New(status.NotFound, ""), 0, "", `{"title":"Not Found","status":404,"code":"not_found"}`},
		{"as the response says", status.New(status.ResourceExhausted, "too large"), 413, "Content Too Large", `{"title":"Content Too Large","status":413,"detail":"too large","code":"resource_exhausted"}`},
		{"an invalid code", &status.Error{Code: 77}, 0, "", `{"title":"Internal Server Error","status":500,"code":"unknown"}`},
	} {
		if have := string(row.e.AppendProblem([]byte("> "), row.status, row.title)); "> "+row.want != have {
			t.Errorf("%s:\nwant > %s\nhave %s", row.name, row.want, have)
		}
	}
}

func TestEveryCodeSurvivesTheWire(t *testing.T) {
	t.Parallel()
	for _, row := range codes[1:] {
		sentinel := status.New(row.code, "m").WithReason("R")
		have := roundTrip(t, sentinel.WithRetryAfter(time.Second))
		if !equal(have, sentinel.WithRetryAfter(time.Second)) {
			t.Errorf("%v: have %#v", row.code, have)
		}
		if !errors.Is(have, sentinel) || !errors.Is(sentinel, have) {
			t.Errorf("%v: the sentinel is not found after the wire", row.code)
		}
		if errors.Is(have, sentinel.WithReason("OTHER")) {
			t.Errorf("%v: another sentinel is found after the wire", row.code)
		}
	}
}

func TestCausesNeverReachTheWire(t *testing.T) {
	t.Parallel()
	const secret = "hunter2"
	cause := errors.New("dial postgres://shop:" + secret + "@db: refused")
	for name, err := range map[string]error{
		"a raw error":        cause,
		"a wrapped error":    fmt.Errorf("placing: %w", cause),
		"a status's cause":   status.New(status.Unavailable, "try later").WithCause(cause),
		"around a status":    fmt.Errorf("%w: %w", cause, status.New(status.NotFound, "no order")),
		"joined to a status": errors.Join(cause, status.New(status.NotFound, "no order")),
		"joined to a cancel": errors.Join(cause, fmt.Errorf("a: %w", errors.New(secret))),
	} {
		e := status.From(err)
		if !strings.Contains(e.Error(), secret) {
			t.Errorf("%s: the log misses the true text: %v", name, e)
		}
		marshalled, marshalErr := json.Marshal(e)
		if marshalErr != nil {
			t.Fatal(marshalErr)
		}
		for _, text := range []string{string(e.AppendProblem(nil, 0, "")), string(marshalled)} {
			if strings.Contains(text, secret) {
				t.Errorf("%s: the secret reaches the wire: %s", name, text)
			}
		}
		if have := roundTrip(t, e); have.Cause != nil || have.ID != e.ID || !equal(e, have) {
			t.Errorf("%s: want %#v, have %#v", name, e, have)
		}
	}
}

func TestRetryAfterText(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		d    time.Duration
		want string
	}{
		{1, "0.000000001s"},
		{time.Millisecond, "0.001s"},
		{time.Second, "1s"},
		{90 * time.Second, "90s"},
		{1500 * time.Millisecond, "1.5s"},
		{math.MaxInt64 / time.Second * time.Second, "9223372036s"},
		{math.MaxInt64, "9223372036.854775807s"},
		{0, ""},
		{-1, ""},
		{math.MinInt64, ""},
	} {
		e := &status.Error{Code: status.Unavailable, RetryAfter: row.d}
		var wire struct{ RetryAfter string }
		if err := json.Unmarshal(e.AppendProblem(nil, 0, ""), &wire); err != nil || wire.RetryAfter != row.want {
			t.Errorf("%d: want %q, have %q, %v", row.d, row.want, wire.RetryAfter, err)
		}
		if want, have := max(row.d, 0), roundTrip(t, e).RetryAfter; want != have {
			t.Errorf("%d: want %v back, have %v", row.d, want, have)
		}
	}
	for _, text := range []string{
		"1", "s", "-1s", "+1s", "1.s5", "1e3s", "1.5.5s", "1.0000000001s", "0x1s", "1_0s", " 1s", "1.-5s",
		"9223372036.854775808s", "9223372037s", "9223372036854775807s", "99999999999999999999s", "1h",
	} {
		var have status.Error
		wire, _ := json.Marshal(map[string]any{"code": "aborted", "retryAfter": text})
		if err := json.Unmarshal(wire, &have); err != nil || have.RetryAfter != 0 || have.Code != status.Aborted {
			t.Errorf("%q: want it to count as absent, have %v, %v", text, have.RetryAfter, err)
		}
	}
}

func TestProblemsOfOthers(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, wire string
		want       status.Error
	}{
		{"empty", `{}`, status.Error{Code: status.Unknown}},
		{"title for detail", `{"title":"Gone fishing","status":503}`, status.Error{Code: status.Unavailable, Message: "Gone fishing"}},
		{"detail", `{"type":"about:blank","title":"t","detail":"d","status":404,"instance":"/x"}`, status.Error{Code: status.NotFound, Message: "d"}},
		{"success told as a problem", `{"status":200,"title":"OK"}`, status.Error{Code: status.Unknown, Message: "OK"}},
		{"the code OK", `{"code":"ok","status":400}`, status.Error{Code: status.Unknown}},
		{"an unknown code", `{"code":"E17","status":404,"detail":"d"}`, status.Error{Code: status.NotFound, Message: "d"}},
		{"a code that is a number", `{"code":1017,"status":404,"detail":"d"}`, status.Error{Code: status.NotFound, Message: "d"}},
		{"a status that is a text", `{"status":"404","detail":"d"}`, status.Error{Code: status.Unknown, Message: "d"}},
		{"a status too large", `{"status":1e30,"detail":"d"}`, status.Error{Code: status.Unknown, Message: "d"}},
		{"a delay that is a number", `{"retryAfter":30,"status":429}`, status.Error{Code: status.ResourceExhausted}},
		{"violations of another form", `{"violations":{"a":"b"},"status":400,"detail":"d"}`, status.Error{Code: status.InvalidArgument, Message: "d"}},
	} {
		var have status.Error
		if err := json.Unmarshal([]byte(row.wire), &have); err != nil || !equal(&row.want, &have) {
			t.Errorf("%s: want %#v, have %#v, %v", row.name, row.want, have, err)
		}
	}
}

func TestWhatIsNoProblemIsRefused(t *testing.T) {
	t.Parallel()
	for _, wire := range []string{``, ` `, `null`, `[]`, `"x"`, `1`, `{`, `{}{}`, `{"code":}`, `<html>`, strings.Repeat("[", 1<<20), `{"a":` + strings.Repeat("[", 1<<20)} {
		have := status.Error{Code: status.Aborted}
		if err := have.UnmarshalJSON([]byte(wire)); err == nil || have.Code != status.Aborted {
			t.Errorf("%.20q: want an error and nothing changed, have %v, %v", wire, &have, err)
		}
	}
}

func TestProblemIsAlwaysJSONInUTF8(t *testing.T) {
	t.Parallel()
	e := status.New(status.Aborted, "a\xffb").WithReason("\xc0").
		WithViolations(status.Violation{Field: "\xfe", Description: "\x00"}).
		WithDetails(
			status.Detail{Type: "bad", Value: json.RawMessage(`{`)},
			status.Detail{Type: "none"},
			status.Detail{Type: "bytes", Value: json.RawMessage("\"\xff\"")},
			status.Detail{Type: "good", Value: json.RawMessage(` [ 1, 2 ] `)},
		)
	prefix := []byte("\xff")
	text := e.AppendProblem(prefix, 0, "")
	if text[0] != '\xff' {
		t.Errorf("what was there before was changed: %q", text)
	}
	if text = text[1:]; !json.Valid(text) || !utf8.Valid(text) {
		t.Fatalf("not JSON in UTF-8: %q", text)
	}
	have := roundTrip(t, e)
	if want := "a\uFFFDb"; want != have.Message {
		t.Errorf("message: want %q, have %q", want, have.Message)
	}
	var types []string
	for _, d := range have.Details {
		types = append(types, d.Type+"="+string(d.Value))
	}
	if want, have := `none=null bytes="`+"\uFFFD"+`" good=[1,2]`, strings.Join(types, " "); want != have {
		t.Errorf("details: want %s, have %s", want, have)
	}
}
