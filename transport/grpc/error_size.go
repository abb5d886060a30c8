package grpctransport

import (
	"unicode/utf8"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/ashlar-go/ashlar/status"
)

// fieldHead is more than the tag and the length of a field take, or of an Any around a message and its type.
const (
	fieldHead = 8
	anyHead   = 64
)

// fitting returns the wire form of e with as much of it as fits into limit bytes of a trailer.
func fitting(e *status.Error, message string, limit int) *spb.Status {
	fixed := assemble(e, "", nil, nil)
	left := limit - base64Size(proto.Size(fixed)+fieldHead+anyHead+len(ErrorDomain)+len(countKey))
	if left < 0 { // a reason or an ID that is a text of its own
		return &spb.Status{Code: int32(e.Code), Message: cut(message, limit/3)}
	}
	message = cut(message, left*3/7) // it is sent twice, the second time in base64
	left -= percentSize(message) + base64Size(len(message)+fieldHead)
	var violations []*errdetails.BadRequest_FieldViolation
	if len(e.Violations) > 0 {
		left -= base64Size(anyHead)
	}
	for _, v := range e.Violations {
		violation := &errdetails.BadRequest_FieldViolation{Field: valid(v.Field), Description: valid(v.Description)}
		if left -= base64Size(proto.Size(violation) + fieldHead); left < 0 {
			break
		}
		violations = append(violations, violation)
	}
	if len(violations) < len(e.Violations) {
		return assemble(e, message, violations, nil)
	}
	var details []*anypb.Any
	for _, d := range e.Details {
		packed := packDetail(d)
		if packed == nil {
			continue
		}
		if left -= base64Size(proto.Size(packed) + fieldHead); left < 0 {
			break
		}
		details = append(details, packed)
	}
	return assemble(e, message, violations, details)
}

// base64Size is how much n bytes are in base64.
func base64Size(n int) int { return (n + 2) / 3 * 4 }

// percentSize is how much a message is as a value of grpc-message.
func percentSize(message string) int {
	size := len(message)
	for i := range len(message) {
		if c := message[i]; c < ' ' || c > '~' || c == '%' {
			size += 2
		}
	}
	return size
}

// cut returns as much of the message as takes limit bytes as a value of grpc-message.
func cut(message string, limit int) string {
	if len(message) <= limit/3 || percentSize(message) <= limit {
		return message
	}
	const ellipsis = "…"
	size, end := percentSize(ellipsis), 0
	for i, r := range message {
		if size += percentSize(string(r)); size > limit {
			break
		}
		end = i + utf8.RuneLen(r)
	}
	return message[:end] + ellipsis
}
