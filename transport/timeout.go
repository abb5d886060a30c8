package transport

import (
	"errors"
	"strconv"
	"time"
)

// TimeoutHeader is the header field in which a client tells how long it will wait, on transports that have no field of their
// own for it. Its value is written as gRPC writes grpc-timeout: at most eight digits and a unit, H, M, S, m, u or n.
const TimeoutHeader = "Ashlar-Timeout"

// maxTimeoutDigits is the number of digits that gRPC allows.
const maxTimeoutDigits = 8

var timeoutUnits = [...]struct {
	letter byte
	unit   time.Duration
}{
	{'n', time.Nanosecond}, {'u', time.Microsecond}, {'m', time.Millisecond},
	{'S', time.Second}, {'M', time.Minute}, {'H', time.Hour},
}

// AppendTimeout appends d to dst in the finest unit that leaves eight digits, rounded down. A d below 0 counts as 0.
func AppendTimeout(dst []byte, d time.Duration) []byte {
	const limit = 100_000_000
	d = max(d, 0)
	for _, u := range timeoutUnits {
		if n := int64(d / u.unit); n < limit {
			return append(strconv.AppendInt(dst, n, 10), u.letter)
		}
	}
	return append(dst, "99999999H"...) // not reached: the longest Duration has 7 digits of hours
}

var errTimeout = errors.New(`want up to eight digits and one of the units H, M, S, m, u and n, such as "1500m"`)

// ParseTimeout reads what AppendTimeout writes.
func ParseTimeout(text string) (time.Duration, error) {
	digits := len(text) - 1
	if digits < 1 || digits > maxTimeoutDigits {
		return 0, errTimeout
	}
	var n int64
	for i := range digits {
		if text[i] < '0' || text[i] > '9' {
			return 0, errTimeout
		}
		n = n*10 + int64(text[i]-'0')
	}
	for _, u := range timeoutUnits {
		if u.letter == text[digits] {
			if n > int64((1<<63-1)/u.unit) {
				return 1<<63 - 1, nil // longer than a Duration: no limit at all
			}
			return time.Duration(n) * u.unit, nil
		}
	}
	return 0, errTimeout
}
