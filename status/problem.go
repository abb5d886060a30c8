package status

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// ProblemType is the content type of problem details, RFC 9457.
const ProblemType = "application/problem+json"

// problem is the wire form of an Error: problem details with the members title, status and detail of RFC 9457,
// section 3.1, and the rest of the error as extension members (section 3.2).
type problem struct {
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
	if httpStatus == 0 {
		httpStatus = e.Code.HTTP()
	}
	if title == "" {
		title = table[e.Code].title
	}
	if len(e.Violations) == 0 && len(e.Details) == 0 && bare(title) && bare(e.Message) && bare(e.Reason) && bare(e.ID) {
		return e.appendBare(dst, httpStatus, title)
	}
	p := problem{
		Title:      title,
		Status:     httpStatus,
		Detail:     e.Message,
		Code:       e.Code.String(),
		Reason:     e.Reason,
		ID:         e.ID,
		RetryAfter: string(appendSeconds(nil, e.RetryAfter)),
		Violations: e.Violations,
		Details:    e.Details,
	}
	buf := bytes.NewBuffer(dst)
	enc := json.NewEncoder(buf)
	enc.SetEscapeHTML(false)
	if enc.Encode(p) != nil { // only a detail can fail
		p.Details = nil
		for _, d := range e.Details {
			if d.Value == nil || json.Valid(d.Value) {
				p.Details = append(p.Details, d)
			}
		}
		buf = bytes.NewBuffer(dst)
		enc = json.NewEncoder(buf)
		enc.SetEscapeHTML(false)
		_ = enc.Encode(p) // every part is valid now
	}
	out := bytes.TrimSuffix(buf.Bytes(), []byte("\n"))
	if own := out[len(dst):]; !utf8.Valid(own) { // only the value of a detail is taken as it is
		out = append(out[:len(dst):len(dst)], bytes.ToValidUTF8(own, []byte("\uFFFD"))...)
	}
	return out
}

// MarshalJSON returns e as problem details; see AppendProblem.
func (e *Error) MarshalJSON() ([]byte, error) {
	return e.AppendProblem(nil, 0, ""), nil
}

// UnmarshalJSON reads problem details, of Ashlar or of anybody: where there is no known code it follows from
// the HTTP status, and where there is no detail the title is the message. A member of another type or form than its own
// counts as absent (RFC 9457, section 3.1). It fails for what is not one JSON object.
func (e *Error) UnmarshalJSON(data []byte) error {
	var p problem
	if !bytes.HasPrefix(bytes.TrimLeft(data, " \t\r\n"), []byte("{")) {
		return errors.New("status: reading problem details: want a JSON object")
	}
	err := json.Unmarshal(data, &p)
	if _, ok := errors.AsType[*json.UnmarshalTypeError](err); err != nil && !ok {
		return fmt.Errorf("status: reading problem details: %w", err)
	}
	if err != nil { // elements of another type have become empty ones
		p.Violations = slices.DeleteFunc(p.Violations, func(v Violation) bool { return v == Violation{} })
		p.Details = slices.DeleteFunc(p.Details, func(d Detail) bool { return d.Type == "" })
	}
	code, known := ParseCode(p.Code)
	if !known {
		code = FromHTTP(p.Status)
	}
	if code == OK {
		code = Unknown
	}
	message := p.Detail
	if message == "" && !known {
		message = p.Title
	}
	*e = Error{
		Code:       code,
		Message:    message,
		Reason:     p.Reason,
		ID:         p.ID,
		RetryAfter: parseSeconds(p.RetryAfter),
		Violations: p.Violations,
		Details:    p.Details,
	}
	return nil
}

const nanoDigits = 9 // decimals of a second in a Duration

// appendSeconds writes d as protobuf's JSON does a Duration: seconds with as many decimals as needed, and an s; nothing for none.
func appendSeconds(dst []byte, d time.Duration) []byte {
	if d <= 0 {
		return dst
	}
	dst = strconv.AppendInt(dst, int64(d/time.Second), 10)
	if ns := int64(d % time.Second); ns > 0 {
		from := len(dst)
		dst = strconv.AppendInt(dst, int64(time.Second)+ns, 10) // a one, and nine digits
		dst[from] = '.'
		dst = bytes.TrimRight(dst, "0")
	}
	return append(dst, 's')
}

// parseSeconds reads what appendSeconds writes, and returns 0 for anything else.
func parseSeconds(text string) time.Duration {
	digits, ok := strings.CutSuffix(text, "s")
	whole, fraction, _ := strings.Cut(digits, ".")
	if !ok || len(fraction) > nanoDigits {
		return 0
	}
	seconds, err := strconv.ParseUint(whole, 10, 63)
	if err != nil || seconds > math.MaxInt64/uint64(time.Second) {
		return 0
	}
	ns, err := strconv.ParseUint((fraction + "000000000")[:nanoDigits], 10, 32)
	if err != nil {
		return 0
	}
	if d := seconds*uint64(time.Second) + ns; d <= math.MaxInt64 {
		return time.Duration(d)
	}
	return 0
}
