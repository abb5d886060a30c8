package status

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// ProblemType is the content type of problem details, RFC 9457.
const ProblemType = "application/problem+json"

// problem is the wire form of an Error: problem details with the members type, title, status and detail of RFC 9457,
// section 3.1, and the rest of the error as extension members (section 3.2).
type problem struct {
	Type       string      `json:"type,omitempty"`
	Title      string      `json:"title,omitempty"`
	Status     int         `json:"status,omitempty"`
	Detail     string      `json:"detail,omitempty"`
	Code       string      `json:"code,omitempty"`
	Reason     string      `json:"reason,omitempty"`
	ID         string      `json:"id,omitempty"`
	RetryAfter string      `json:"retryAfter,omitempty"`
	Violations []Violation `json:"violations,omitempty"`
	Details    []Detail    `json:"details,omitempty"`
}

// AppendProblem appends e as problem details (RFC 9457) in JSON, without its cause. httpStatus and title are those of the
// response that carries it; 0 and "" stand for those of the code. Bytes that are not UTF-8 become U+FFFD, and a
// detail whose value is not JSON is left out.
func (e *Error) AppendProblem(dst []byte, httpStatus int, title string) []byte {
	e = e.normal()
	p := problem{
		Title:      title,
		Status:     httpStatus,
		Detail:     e.Message,
		Code:       e.Code.String(),
		Reason:     e.Reason,
		ID:         e.ID,
		RetryAfter: formatSeconds(e.RetryAfter),
		Violations: e.Violations,
		Details:    e.Details,
	}
	if httpStatus == 0 {
		p.Status = e.Code.HTTP()
	}
	if title == "" {
		p.Title = table[e.Code].title
	}
	buf := bytes.NewBuffer(dst)
	enc := json.NewEncoder(buf)
	enc.SetEscapeHTML(false)
	if enc.Encode(p) != nil { // only a detail can fail
		p.Details = nil
		for _, d := range e.Details {
			if json.Valid(d.Value) {
				p.Details = append(p.Details, d)
			}
		}
		buf = bytes.NewBuffer(dst)
		enc = json.NewEncoder(buf)
		enc.SetEscapeHTML(false)
		_ = enc.Encode(p) // every part is valid now
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n"))
}

// MarshalJSON returns e as problem details; see AppendProblem.
func (e *Error) MarshalJSON() ([]byte, error) {
	return e.AppendProblem(nil, 0, ""), nil
}

// UnmarshalJSON reads problem details, of Ashlar or of anybody: where there is no known code it follows from
// the HTTP status, and where there is no detail the title is the message.
func (e *Error) UnmarshalJSON(data []byte) error {
	var p problem
	if err := json.Unmarshal(data, &p); err != nil {
		return fmt.Errorf("status: reading problem details: %w", err)
	}
	code, known := ParseCode(p.Code)
	if !known {
		code = FromHTTP(p.Status)
	}
	if code == OK {
		code = Unknown
	}
	retryAfter, err := parseSeconds(p.RetryAfter)
	if err != nil {
		return fmt.Errorf("status: reading problem details: retryAfter: %w", err)
	}
	message := p.Detail
	if message == "" && p.Code == "" {
		message = p.Title
	}
	*e = Error{
		Code:       code,
		Message:    message,
		Reason:     p.Reason,
		ID:         p.ID,
		RetryAfter: retryAfter,
		Violations: p.Violations,
		Details:    p.Details,
	}
	return nil
}

// formatSeconds writes d as protobuf's JSON does a Duration: seconds with as many decimals as needed, and an s.
func formatSeconds(d time.Duration) string {
	if d <= 0 {
		return ""
	}
	text := strconv.FormatInt(int64(d/time.Second), 10)
	if ns := d % time.Second; ns > 0 {
		text += strings.TrimRight(fmt.Sprintf(".%09d", int64(ns)), "0")
	}
	return text + "s"
}

var errSeconds = errors.New(`want seconds such as "1.5s"`)

func parseSeconds(text string) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	digits, ok := strings.CutSuffix(text, "s")
	if !ok {
		return 0, errSeconds
	}
	whole, fraction, _ := strings.Cut(digits, ".")
	seconds, err := strconv.ParseUint(whole, 10, 63)
	if err != nil || seconds >= math.MaxInt64/uint64(time.Second) || len(fraction) > 9 {
		return 0, errSeconds
	}
	var ns uint64
	if fraction != "" {
		if ns, err = strconv.ParseUint((fraction + "000000000")[:9], 10, 32); err != nil {
			return 0, errSeconds
		}
	}
	return time.Duration(seconds)*time.Second + time.Duration(ns), nil
}
