// Package codec is how messages become bytes: a Codec is one encoding, a Set negotiates between several by content
// type. Each encoding is a package of its own below this one, so that a program links what it uses:
//
//	set, err := codec.NewSet(json.New(), proto.New())
//	...
//	in, err := set.ForType(request.Header.Get("Content-Type"))          // or 415
//	out, contentType, err := set.Accept(request.Header["Accept"]...)    // or 406
//
// Whoever writes a Codec runs the suite in codectest against it.
package codec

import (
	"fmt"
	"strings"
)

// Codec is one encoding. It is safe for concurrent use, and passes the suite in codectest.
type Codec interface {
	// ContentTypes returns the media types it reads, in lower case and without parameters. The first is the one it
	// writes. The caller must not change the slice.
	ContentTypes() []string
	// Append appends the encoding of v, a value or a pointer to one, to dst and returns the extended slice, which is
	// the caller's. Equal values have equal encodings, save for the order of maps if the codec says so. On an error, as
	// for a v that cannot be encoded, it returns dst as it was.
	Append(dst []byte, v any) ([]byte, error)
	// Decode reads exactly one document from data, all of it, into what v points to. It fails with a *DecodeError
	// for data that is malformed, of the wrong types, too deep, or followed by anything more. V may hold part of the
	// document after an error. A v that is no pointer, is nil, or is of a type that cannot be encoded fails with
	// another error, since that is not the sender's mistake. Decode does not keep data, nor does v afterwards.
	Decode(data []byte, v any) error
}

// DecodeError says what was wrong with a document, and where.
type DecodeError struct {
	// Path leads to the value inside the document, such as "items[3].price"; empty for the whole document or where
	// it is not known.
	Path string
	// Problem says what was wrong. It is written to be shown to the sender: it names no Go type.
	Problem string
	// Err is the error behind it, for the log. Where several values are wrong and the codec tells them all, Path is empty,
	// Problem names all, and Err has a method Unwrap() []error with one *DecodeError for each.
	Err error
}

// Error returns the path and the problem.
func (e *DecodeError) Error() string {
	if e.Path == "" {
		return e.Problem
	}
	return e.Path + ": " + e.Problem
}

// Unwrap returns the error behind it.
func (e *DecodeError) Unwrap() error { return e.Err }

// UnsupportedTypeError says that no codec of a Set reads a content type: 415 in HTTP.
type UnsupportedTypeError struct {
	Have string   // the content type of the message
	Want []string // what the Set reads
}

// Error names both.
func (e *UnsupportedTypeError) Error() string {
	return fmt.Sprintf("content type %q is not supported; supported: %s", e.Have, strings.Join(e.Want, ", "))
}

// NotAcceptableError says that no codec of a Set writes what the caller accepts: 406 in HTTP.
type NotAcceptableError struct {
	Accept string   // what the caller accepts
	Offer  []string // what the Set writes
}

// Error names both.
func (e *NotAcceptableError) Error() string {
	return fmt.Sprintf("nothing acceptable in %q; offered: %s", e.Accept, strings.Join(e.Offer, ", "))
}
