package status

import "strconv"

// Code classifies an error in the way that all transports share. The codes and their numbers are the
// canonical ones of gRPC (google.rpc.Code); the zero value is OK.
type Code uint8

const (
	OK                 Code = 0  // No error.
	Canceled           Code = 1  // The caller gave up.
	Unknown            Code = 2  // The peer answered with an error that says nothing more.
	InvalidArgument    Code = 3  // The request is wrong whatever the state of the system.
	DeadlineExceeded   Code = 4  // Time ran out; the operation may have happened all the same.
	NotFound           Code = 5  // What was asked for does not exist.
	AlreadyExists      Code = 6  // What was to be created exists.
	PermissionDenied   Code = 7  // The caller is known, and may not.
	ResourceExhausted  Code = 8  // A quota or a size limit is used up.
	FailedPrecondition Code = 9  // The system is not in the state that the operation needs; do not just retry.
	Aborted            Code = 10 // A conflict, such as a lost transaction; retry the whole sequence.
	OutOfRange         Code = 11 // Past the valid range, as reading past the end.
	Unimplemented      Code = 12 // The operation does not exist here.
	Internal           Code = 13 // A defect, or an error that was not written to be shown.
	Unavailable        Code = 14 // Not now; retrying with backoff may help.
	DataLoss           Code = 15 // Data is lost or corrupted beyond repair.
	Unauthenticated    Code = 16 // The caller did not prove who it is.
)

// table is the one place where a code meets its names and the protocols. The gRPC number is the index.
var table = [...]struct {
	name  string // in logs, and "code" in problem details
	http  int    // after google/rpc/code.proto
	title string // the phrase of that HTTP status
}{
	OK:                 {"ok", 200, "OK"},
	Canceled:           {"canceled", 499, "Client Closed Request"},
	Unknown:            {"unknown", 500, "Internal Server Error"},
	InvalidArgument:    {"invalid_argument", 400, "Bad Request"},
	DeadlineExceeded:   {"deadline_exceeded", 504, "Gateway Timeout"},
	NotFound:           {"not_found", 404, "Not Found"},
	AlreadyExists:      {"already_exists", 409, "Conflict"},
	PermissionDenied:   {"permission_denied", 403, "Forbidden"},
	ResourceExhausted:  {"resource_exhausted", 429, "Too Many Requests"},
	FailedPrecondition: {"failed_precondition", 400, "Bad Request"},
	Aborted:            {"aborted", 409, "Conflict"},
	OutOfRange:         {"out_of_range", 400, "Bad Request"},
	Unimplemented:      {"unimplemented", 501, "Not Implemented"},
	Internal:           {"internal", 500, "Internal Server Error"},
	Unavailable:        {"unavailable", 503, "Service Unavailable"},
	DataLoss:           {"data_loss", 500, "Internal Server Error"},
	Unauthenticated:    {"unauthenticated", 401, "Unauthorized"},
}

// Valid reports whether c is OK or one of the sixteen codes.
func (c Code) Valid() bool { return int(c) < len(table) }

// String returns the code's name in lower case with underscores, such as "not_found".
func (c Code) String() string {
	if !c.Valid() {
		return "code(" + strconv.Itoa(int(c)) + ")"
	}
	return table[c].name
}

// HTTP returns the HTTP status that stands for c, 500 for a code that is none of the sixteen.
func (c Code) HTTP() int {
	if !c.Valid() {
		return table[Unknown].http
	}
	return table[c].http
}

// ParseCode returns the code that has the given name, as String gives it.
func ParseCode(name string) (Code, bool) {
	for code := range table {
		if table[code].name == name {
			return Code(code), true
		}
	}
	return Unknown, false
}

// FromHTTP returns the code that an HTTP status stands for when the response says nothing more precise, as
// an answer of a proxy or of a server that knows no problem details. A status of the 2xx range is OK.
func FromHTTP(httpStatus int) Code {
	switch httpStatus {
	case 401:
		return Unauthenticated
	case 403:
		return PermissionDenied
	case 404, 410:
		return NotFound
	case 405, 501:
		return Unimplemented
	case 408, 504:
		return DeadlineExceeded
	case 409:
		return Aborted
	case 412, 428:
		return FailedPrecondition
	case 413, 429, 431:
		return ResourceExhausted
	case 416:
		return OutOfRange
	case 425, 502, 503:
		return Unavailable
	case 499:
		return Canceled
	}
	switch {
	case httpStatus >= 200 && httpStatus < 300:
		return OK
	case httpStatus >= 400 && httpStatus < 500:
		return InvalidArgument
	case httpStatus == 500:
		return Internal
	}
	return Unknown
}
