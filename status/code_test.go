package status_test

import (
	"math"
	"testing"

	"github.com/ashlar-go/ashlar/status"
)

// codes is written out by hand, from google/rpc/code.proto.
var codes = []struct {
	code status.Code
	grpc int
	name string
	http int
}{
	{status.OK, 0, "ok", 200},
	{status.Canceled, 1, "canceled", 499},
	{status.Unknown, 2, "unknown", 500},
	{status.InvalidArgument, 3, "invalid_argument", 400},
	{status.DeadlineExceeded, 4, "deadline_exceeded", 504},
	{status.NotFound, 5, "not_found", 404},
	{status.AlreadyExists, 6, "already_exists", 409},
	{status.PermissionDenied, 7, "permission_denied", 403},
	{status.ResourceExhausted, 8, "resource_exhausted", 429},
	{status.FailedPrecondition, 9, "failed_precondition", 400},
	{status.Aborted, 10, "aborted", 409},
	{status.OutOfRange, 11, "out_of_range", 400},
	{status.Unimplemented, 12, "unimplemented", 501},
	{status.Internal, 13, "internal", 500},
	{status.Unavailable, 14, "unavailable", 503},
	{status.DataLoss, 15, "data_loss", 500},
	{status.Unauthenticated, 16, "unauthenticated", 401},
}

func TestCodesAreTheCanonicalOnes(t *testing.T) {
	t.Parallel()
	for _, row := range codes {
		if want, have := row.grpc, int(row.code); want != have {
			t.Errorf("%v: number: want %d, have %d", row.code, want, have)
		}
		if want, have := row.name, row.code.String(); want != have {
			t.Errorf("%d: name: want %q, have %q", row.grpc, want, have)
		}
		if want, have := row.http, row.code.HTTP(); want != have {
			t.Errorf("%v: HTTP: want %d, have %d", row.code, want, have)
		}
		if !row.code.Valid() {
			t.Errorf("%v: want a valid code", row.code)
		}
		parsed, ok := status.ParseCode(row.name)
		if !ok || parsed != row.code {
			t.Errorf("ParseCode(%q): want %v, have %v, %t", row.name, row.code, parsed, ok)
		}
	}
}

func TestUnknownCodes(t *testing.T) {
	t.Parallel()
	for _, code := range []status.Code{17, 100, math.MaxUint8} {
		if code.Valid() {
			t.Errorf("%v: want an invalid code", code)
		}
		if want, have := 500, code.HTTP(); want != have {
			t.Errorf("%v: HTTP: want %d, have %d", code, want, have)
		}
	}
	if want, have := "code(17)", status.Code(17).String(); want != have {
		t.Errorf("name: want %q, have %q", want, have)
	}
	for _, name := range []string{"", "OK", "NotFound", "not_found ", "code(17)"} {
		if code, ok := status.ParseCode(name); ok || code != status.Unknown {
			t.Errorf("ParseCode(%q): want unknown, false; have %v, %t", name, code, ok)
		}
	}
}

func TestFromHTTP(t *testing.T) {
	t.Parallel()
	precise := map[int]status.Code{
		401: status.Unauthenticated,
		403: status.PermissionDenied,
		404: status.NotFound, 410: status.NotFound,
		405: status.Unimplemented, 501: status.Unimplemented,
		408: status.DeadlineExceeded, 504: status.DeadlineExceeded,
		409: status.Aborted,
		412: status.FailedPrecondition, 428: status.FailedPrecondition,
		413: status.ResourceExhausted, 429: status.ResourceExhausted, 431: status.ResourceExhausted,
		416: status.OutOfRange,
		425: status.Unavailable, 502: status.Unavailable, 503: status.Unavailable,
		499: status.Canceled,
		500: status.Internal,
	}
	for have := 100; have <= 599; have++ {
		want, ok := precise[have]
		switch {
		case ok:
		case have >= 200 && have <= 299:
			want = status.OK
		case have >= 400 && have <= 499:
			want = status.InvalidArgument
		default:
			want = status.Unknown
		}
		if got := status.FromHTTP(have); want != got {
			t.Errorf("FromHTTP(%d): want %v, have %v", have, want, got)
		}
	}
	for _, hostile := range []int{math.MinInt, -200, -1, 0, 1, 99, 600, 999, 1000, math.MaxInt} {
		if want, have := status.Unknown, status.FromHTTP(hostile); want != have {
			t.Errorf("FromHTTP(%d): want %v, have %v", hostile, want, have)
		}
	}
}

// A code that is not told in the body must not turn a failure into a success, nor the reverse.
func TestFailureStaysFailureThroughHTTPAlone(t *testing.T) {
	t.Parallel()
	for _, row := range codes {
		have := status.FromHTTP(row.code.HTTP())
		if (row.code == status.OK) != (have == status.OK) {
			t.Errorf("%v through HTTP %d: have %v", row.code, row.code.HTTP(), have)
		}
	}
}
