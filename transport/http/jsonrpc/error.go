package jsonrpc

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/ashlar-go/ashlar/status"
)

// Error is an error as JSON-RPC has it.
//
// On a server it gives an error a code, a message and data of its own, instead of those that follow from its status: return it from an
// endpoint, wrapped or not. It counts where it stands around the status, and not as the cause of one, since causes stay local.
//
// On a client it is the cause of the *status.Error where the server sent another code than the status has, or data that is no problem
// details: what a server that is not Ashlar's sends. To pass that on, return the *Error that errors.As finds.
type Error struct {
	// Code is any integer. The specification keeps -32768 to -32000 for itself and for servers.
	Code int64
	// Message is for people. On a server, an empty one is that of the status.
	Message string
	// Data is JSON. On a server, nil stands for the problem details of the status.
	Data json.RawMessage
	// Err is what status.From makes the status of, on a server; without it, that is Unknown with the same message. Clients leave
	// it nil.
	Err error
}

// Error returns the code and the message.
func (e *Error) Error() string {
	text := fmt.Sprintf("JSON-RPC error %d", e.Code)
	if e.Message != "" {
		text += ": " + e.Message
	}
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }

// failure is an error as it crosses.
type failure struct {
	code    int64
	message string
	status  *status.Error
	data    []byte // instead of the problem details of status; nil for these
}

// failureOf returns what the caller is sent for err, of which nobody has made a status yet.
func failureOf(err error) failure {
	var own *Error
	if e, ok := errors.AsType[*Error](err); ok && status.As(err) == status.As(e.Err) {
		own = e
	}
	f := failure{}
	if own != nil && own.Err == nil {
		f.status = status.New(status.Unknown, own.Message).WithCause(err)
	} else {
		f.status = status.From(err)
	}
	f.code, f.message = codeOf(f.status.Code), f.status.Message
	if f.message == "" {
		f.message = phrase(f.status.Code)
	}
	if own == nil {
		return f
	}
	f.code, f.data = own.Code, own.Data
	if own.Message != "" {
		f.message = own.Message
	}
	if f.data != nil && !jsontext.Value(f.data).IsValid() {
		f.data = nil // the problem details are better than an answer that nobody can read
	}
	return f
}

// append appends the error object.
func (f failure) append(dst []byte) []byte {
	dst = append(dst, `{"code":`...)
	dst = strconv.AppendInt(dst, f.code, 10)
	dst = append(dst, `,"message":`...)
	dst = appendText(dst, f.message)
	dst = append(dst, `,"data":`...)
	if f.data != nil {
		dst = append(dst, f.data...)
	} else {
		dst = f.status.AppendProblem(dst, 0, "")
	}
	return append(dst, '}')
}

func appendText(dst []byte, s string) []byte {
	dst, _ = jsontext.AppendQuote(dst, strings.ToValidUTF8(s, "\uFFFD"))
	return dst
}

// errorOf returns what a client gets for an error that a server sent.
func errorOf(code int64, message string, data []byte) *status.Error {
	e, ok := problemOf(data)
	if ok && codeOf(e.Code) == code {
		return e
	}
	if !ok {
		e = status.New(statusOf(code), message)
	}
	return e.WithCause(&Error{Code: code, Message: message, Data: slices.Clone(data)})
}

// problemOf returns the problem details that data is, if it is any of Ashlar's.
func problemOf(data []byte) (*status.Error, bool) {
	if kindOf(data) != '{' {
		return nil, false
	}
	var p struct {
		Code string `json:"code"`
	}
	_ = json.Unmarshal(data, &p) // a code that it does not find is none
	if code, known := status.ParseCode(p.Code); !known || code == status.OK {
		return nil, false
	}
	e := new(status.Error)
	return e, e.UnmarshalJSON(data) == nil
}
