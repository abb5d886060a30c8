package grpctransport

import (
	"slices"
	"strconv"
	"strings"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"
	grpcstatus "google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/ashlar-go/ashlar/status"
)

// ErrorDomain is the domain of an ErrorInfo that Ashlar sends. One of another domain is a reason and a detail to a client.
const ErrorDomain = "github.com/ashlar-go/ashlar"

// countKey is that of the metadata of an ErrorInfo of Ashlar in which stands how many of the details, at the end, are no fields of the
// error although their types are those of fields.
const countKey = "details"

// wire returns what a client gets of e, which is one that status.From has returned. It takes at most limit bytes of a trailer.
func wire(e *status.Error, limit int) *grpcstatus.Status {
	message := valid(e.Message)
	if e.Reason == "" && e.ID == "" && e.RetryAfter <= 0 && len(e.Violations) == 0 && len(e.Details) == 0 {
		return grpcstatus.New(codes.Code(e.Code), cut(message, limit))
	}
	return grpcstatus.FromProto(fitting(e, message, limit))
}

// assemble makes the wire form of an error from those of its parts that are to be sent.
func assemble(e *status.Error, message string, violations []*errdetails.BadRequest_FieldViolation, details []*anypb.Any) *spb.Status {
	var fields []proto.Message
	ambiguous := slices.ContainsFunc(details, isField)
	if e.Reason != "" || ambiguous {
		info := &errdetails.ErrorInfo{Reason: valid(e.Reason), Domain: ErrorDomain}
		if ambiguous {
			info.Metadata = map[string]string{countKey: strconv.Itoa(len(details))}
		}
		fields = append(fields, info)
	}
	if e.ID != "" {
		fields = append(fields, &errdetails.RequestInfo{RequestId: valid(e.ID)})
	}
	if e.RetryAfter > 0 {
		fields = append(fields, &errdetails.RetryInfo{RetryDelay: durationpb.New(e.RetryAfter)})
	}
	if len(violations) > 0 {
		fields = append(fields, &errdetails.BadRequest{FieldViolations: violations})
	}
	all := make([]*anypb.Any, 0, len(fields)+len(details))
	for _, m := range fields {
		if a, err := anypb.New(m); err == nil { // all texts in them are valid
			all = append(all, a)
		}
	}
	return &spb.Status{Code: int32(e.Code), Message: message, Details: append(all, details...)}
}

// isField reports whether the detail could be taken for a field of an error.
func isField(d *anypb.Any) bool {
	return d.MessageIs((*errdetails.ErrorInfo)(nil)) || d.MessageIs((*errdetails.RequestInfo)(nil)) ||
		d.MessageIs((*errdetails.RetryInfo)(nil)) || d.MessageIs((*errdetails.BadRequest)(nil))
}

// valid returns text as Protocol Buffers takes it.
func valid(text string) string { return strings.ToValidUTF8(text, "\uFFFD") }

// unwire returns the error that a status of the other side is.
func unwire(p *spb.Status) *status.Error {
	e := &status.Error{Code: codeOf(p.GetCode()), Message: p.GetMessage()}
	all := p.GetDetails()
	fields := len(all) - countOf(all)
	for i, d := range all {
		if i >= fields || !setField(e, d) {
			e.Details = appendDetail(e.Details, d)
		}
	}
	return e
}

// countOf returns how many of the details, at the end, are no fields though they may look like it.
func countOf(details []*anypb.Any) int {
	var info errdetails.ErrorInfo
	if len(details) == 0 || !details[0].MessageIs(&info) || details[0].UnmarshalTo(&info) != nil || info.GetDomain() != ErrorDomain {
		return 0
	}
	n, err := strconv.Atoi(info.GetMetadata()[countKey])
	if err != nil || n < 0 || n >= len(details) {
		return 0
	}
	return n
}

func codeOf(code int32) status.Code {
	if c := status.Code(code); int32(c) == code && c.Valid() && c != status.OK {
		return c
	}
	return status.Unknown
}

// setField sets the field of e that the detail is. It returns false where the detail has to be kept as well, since
// it is no field, the field is taken, or it says more than the field can hold.
func setField(e *status.Error, d *anypb.Any) bool {
	var (
		info    errdetails.ErrorInfo
		request errdetails.RequestInfo
		retry   errdetails.RetryInfo
		bad     errdetails.BadRequest
	)
	switch {
	case d.MessageIs(&info) && e.Reason == "" && d.UnmarshalTo(&info) == nil:
		e.Reason = info.GetReason()
		return info.GetDomain() == ErrorDomain
	case d.MessageIs(&request) && e.ID == "" && d.UnmarshalTo(&request) == nil:
		e.ID = request.GetRequestId()
		return request.GetServingData() == ""
	case d.MessageIs(&retry) && e.RetryAfter == 0 && d.UnmarshalTo(&retry) == nil:
		e.RetryAfter = max(retry.GetRetryDelay().AsDuration(), 0)
		return e.RetryAfter > 0
	case d.MessageIs(&bad) && e.Violations == nil && d.UnmarshalTo(&bad) == nil:
		return setViolations(e, &bad)
	}
	return false
}

func setViolations(e *status.Error, bad *errdetails.BadRequest) (all bool) {
	all = len(bad.GetFieldViolations()) > 0
	for _, v := range bad.GetFieldViolations() {
		e.Violations = append(e.Violations, status.Violation{Field: v.GetField(), Description: v.GetDescription()})
		all = all && v.GetReason() == "" && v.GetLocalizedMessage() == nil
	}
	return all
}
