package status_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"github.com/ashlar-go/ashlar/status"
)

// Errors of plain texts are written without encoding/json, and must look as if by it.
func TestProblemsOfPlainTextsAreAsEncodingJSONWouldWriteThem(t *testing.T) {
	t.Parallel()
	texts := []string{"", "no order 7", "<a> & 'b'", "~ !#[]/", "a\"b", `a\b`, "a\x7f", "a\nb", "\u00e9", "\u2028", "a\xff"}
	for _, text := range texts {
		for _, httpStatus := range []int{-1, 0, 503} {
			for _, after := range []time.Duration{0, 1, 1500 * time.Millisecond, time.Hour} {
				e := &status.Error{Code: status.Unavailable, Message: text, Reason: text, ID: text, RetryAfter: after}
				want := byEncodingJSON(t, e, httpStatus, text)
				if have := e.AppendProblem([]byte("before"), httpStatus, text); !bytes.Equal(append([]byte("before"), want...), have) {
					t.Errorf("%q, %d, %v: want %s, have %s", text, httpStatus, after, want, have)
				}
			}
		}
	}
}

func byEncodingJSON(t *testing.T, e *status.Error, httpStatus int, title string) []byte {
	t.Helper()
	p := struct {
		Title      string `json:"title,omitempty"`
		Status     int    `json:"status,omitempty"`
		Detail     string `json:"detail,omitempty"`
		Code       string `json:"code,omitempty"`
		Reason     string `json:"reason,omitempty"`
		ID         string `json:"id,omitempty"`
		RetryAfter string `json:"retryAfter,omitempty"`
	}{
		Title: title, Status: httpStatus, Detail: e.Message, Code: e.Code.String(), Reason: e.Reason, ID: e.ID,
		RetryAfter: map[time.Duration]string{0: "", 1: "0.000000001s", 1500 * time.Millisecond: "1.5s", time.Hour: "3600s"}[e.RetryAfter],
	}
	if title == "" {
		p.Title = "Service Unavailable"
	}
	if httpStatus == 0 {
		p.Status = 503
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(p); err != nil {
		t.Fatal(err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

func BenchmarkAppendProblem(b *testing.B) {
	e := status.New(status.Unavailable, "overloaded; try again later").WithReason("OVERLOADED").WithRetryAfter(1250 * time.Millisecond)
	for name, e := range map[string]*status.Error{
		"plain": e, "violation": e.WithViolations(status.Violation{Field: "sku", Description: "must not be empty"}),
	} {
		b.Run(name, func(b *testing.B) {
			var buf []byte
			b.ReportAllocs()
			for b.Loop() {
				buf = e.AppendProblem(buf[:0], 0, "")
			}
		})
	}
}

// Whatever single part of an error is not plain, or there beside plain ones, it is written.
func TestEachPartOfAProblemIsWritten(t *testing.T) {
	t.Parallel()
	const odd = "a\"\\\n\u2028"
	for name, want := range map[string]*status.Error{
		"message":    {Code: status.Unavailable, Message: odd, Reason: "R", ID: "1"},
		"reason":     {Code: status.Unavailable, Message: "m", Reason: odd, ID: "1"},
		"id":         {Code: status.Unavailable, Message: "m", Reason: "R", ID: odd},
		"violations": {Code: status.Unavailable, Message: "m", Violations: []status.Violation{{Field: "sku", Description: "gone"}}},
		"details":    {Code: status.Unavailable, Message: "m", Details: []status.Detail{{Type: "t", Value: []byte(`{"a":1}`)}}},
	} {
		have := new(status.Error)
		if err := json.Unmarshal(want.AppendProblem(nil, 0, ""), have); err != nil || !reflect.DeepEqual(want, have) {
			t.Errorf("%s: want %#v, have %#v, %v", name, want, have, err)
		}
	}
	var have struct{ Title string }
	if err := json.Unmarshal(status.New(status.Unavailable, "m").AppendProblem(nil, 0, odd), &have); err != nil || have.Title != odd {
		t.Errorf("want the title %q, have %q, %v", odd, have.Title, err)
	}
}
