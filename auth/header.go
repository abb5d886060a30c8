package auth

import (
	"errors"
	"fmt"
	"strings"

	"github.com/ashlar-go/ashlar/transport"
)

// MaxCredentials is the most bytes of a header field that Authorization and Header look at: 16 KiB. A longer one is refused.
const MaxCredentials = 16 << 10

// Authorization returns what follows the scheme, such as "Bearer" or "Basic", in the header field Authorization. Schemes are compared
// without regard to case. The error is ErrNone where the field is missing or has another scheme. A field that is there twice, is longer
// than MaxCredentials, is empty or has bytes that no field may have is bad, and no part of it is in the error.
func Authorization(call *transport.Info, scheme string) (string, error) {
	value, err := Header(call, "Authorization")
	if err != nil {
		return "", err
	}
	own, rest, _ := strings.Cut(value, " ")
	if !strings.EqualFold(own, scheme) {
		return "", ErrNone
	}
	if rest = strings.TrimLeft(rest, " "); rest == "" {
		return "", fmt.Errorf("the header field Authorization has the scheme %s with nothing after it", scheme)
	}
	return rest, nil
}

// Header returns a header field that holds credentials. The error is ErrNone where it is missing. Else it is as Authorization says.
func Header(call *transport.Info, key string) (string, error) {
	if call == nil || call.Request == nil {
		return "", ErrNone
	}
	values := call.Request.Values(key)
	switch {
	case len(values) == 0:
		return "", ErrNone
	case len(values) > 1:
		return "", fmt.Errorf("the header field %s is there %d times", key, len(values))
	case len(values[0]) > MaxCredentials:
		return "", fmt.Errorf("the header field %s has %d bytes, more than %d", key, len(values[0]), MaxCredentials)
	case values[0] == "":
		return "", fmt.Errorf("the header field %s is empty", key)
	}
	if unprintable(values[0]) >= 0 {
		return "", errors.New("the header field " + key + " has a byte that is no visible character of ASCII")
	}
	return values[0], nil
}

// unprintable returns where s has a byte that is no visible character of ASCII, and no space; -1 where it has none.
func unprintable(s string) int {
	for i := range len(s) {
		if s[i]-' ' > '~'-' ' { // in one comparison: tokens of 2 KB are looked up in less than a microsecond
			return i
		}
	}
	return -1
}
