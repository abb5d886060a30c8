package status_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/ashlar-go/ashlar/status"
)

// FuzzProblemRoundTrip checks that decode(encode(e)) equals e for every valid e.
func FuzzProblemRoundTrip(f *testing.F) {
	f.Add(uint8(5), "no order 7", "NO_ORDER", "07", int64(1500), "id", "unknown", "shop.Order", "7", 404, "Not Found")
	f.Add(uint8(13), "", "", "", int64(1<<63-1), "", "", "", "<&>\u2028", 0, "")
	f.Add(uint8(1), "\x00\"\\", "\u2029", "\U0010FFFF", int64(1), "a[0].b", "\n", "t", "\x7f", -1, "x")
	f.Fuzz(func(t *testing.T, code uint8, message, reason, id string, retry int64, field, description, name, value string, httpStatus int, title string) {
		e := &status.Error{
			Code: status.Code(code%16 + 1), Message: message, Reason: reason, ID: id, RetryAfter: time.Duration(max(retry, 0)),
		}
		if field+description != "" {
			e = e.WithViolations(status.Violation{Field: field, Description: description}, status.Violation{Field: description})
		}
		if detail, err := status.NewDetail(name, map[string]string{"a": value, value: "b"}); err == nil {
			e = e.WithDetails(detail, detail)
		}
		if !utf8.ValidString(strings.Join([]string{message, reason, id, field, description, name, value}, " ")) {
			t.Skip("texts that are not UTF-8 do not cross as they are")
		}
		var have status.Error
		text := e.AppendProblem(nil, httpStatus, title)
		if err := json.Unmarshal(text, &have); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if !equal(e, &have) {
			t.Fatalf("want %#v, have %#v, by %s", e, &have, text)
		}
	})
}

// FuzzProblemHostile checks that no bytes make the decoder panic, and that what it accepts is written, read and written
// again as the same bytes.
func FuzzProblemHostile(f *testing.F) {
	for _, seed := range []string{
		``, `null`, `{}`, `{"code":"ok"}`, `{"status":1e999}`, `{"retryAfter":"9223372036.854775807s"}`,
		`{"details":[{"type":"t","value": { "a" : "` + "\xff" + `" } }, null, {"value":null}]}`,
		`{"violations":[{"field":1,"description":"d"}, 3]}`, `{"CODE":"aborted","code":7}`, "{\"detail\":\"\xff\\ud800\"}",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var e status.Error
		if e.UnmarshalJSON(data) != nil {
			return
		}
		if e.Code == status.OK || !e.Code.Valid() || e.RetryAfter < 0 || e.Cause != nil {
			t.Fatalf("%q gives %#v", data, &e)
		}
		first := e.AppendProblem(nil, 0, "")
		if !json.Valid(first) || !utf8.Valid(first) {
			t.Fatalf("%q is written as %q, which is not JSON in UTF-8", data, first)
		}
		var again status.Error
		if err := json.Unmarshal(first, &again); err != nil {
			t.Fatalf("%q is written as %q, which is not read: %v", data, first, err)
		}
		if second := again.AppendProblem(nil, 0, ""); !bytes.Equal(first, second) {
			t.Fatalf("%q is written as %q, then as %q", data, first, second)
		}
	})
}
