// Package httptransport serves and calls endpoints over HTTP.
//
// A server is a plain http.Handler, to be put behind a pattern of http.ServeMux:
//
//	mux.Handle("POST /orders/{id}/items", httptransport.NewServer(addItem, endpoint.New(addItem, svc.AddItem, common)))
//
// # Binding
//
// Without a decoder of its own, a request is bound from its type. Fields of a struct (or of the struct that a pointer
// request points to) are taken by their tags from the path, the query and the header:
//
//	type AddItem struct {
//		Order  string   `path:"id" json:"-"`              // from the wildcard {id} of the pattern
//		DryRun bool     `query:"dryRun,omitempty" json:"-"`
//		Limit  int      `query:"limit" default:"20" json:"-"`
//		Tags   []string `query:"tag" json:"-"`            // ?tag=a&tag=b
//		Tenant string   `header:"X-Tenant,required" json:"-"`
//		SKU    string   `json:"sku"`                      // from the body
//		Count  int      `json:"count"`
//	}
//
// The other fields are the body, decoded by the codec that Content-Type names; or one field tagged body:"" is the whole body. A
// body cannot set a field that has one of the tags. Scalars, time.Time (RFC 3339), time.Duration, types with
// UnmarshalText, pointers to all these (nil when absent) and slices of them (repeated values) can be bound. What is wrong is
// reported for all fields at once, as InvalidArgument with a violation for each.
//
// The client does the same the other way around, from the same type.
//
// # Errors
//
// An error reaches the caller as problem details (RFC 9457) made of the *status.Error that status.From gives for it,
// under that code's HTTP status or the one of an *Error. The client turns it back into an equal *status.Error.
package httptransport

import "errors"

// Default limits. Each can be set by an option.
const (
	// DefaultMaxRequest is how many bytes of a request's body a server reads, after decompression: enough for a
	// document of some thousand records, and little enough for a thousand at once.
	DefaultMaxRequest = 1 << 20
	// DefaultMaxResponse is how many bytes of a response's body a client reads, after decompression.
	DefaultMaxResponse = 4 << 20
	// maxProblem is how many bytes of an error response a client reads.
	maxProblem = 64 << 10
)

// errNoMethod refuses an operation that no log and no metric could name.
var errNoMethod = errors.New("the operation has no name: Spec.Method is empty")

// ReasonOrigin is the Reason of the error for a page whose origin may not do what it asks for: see ServerOrigins.
const ReasonOrigin = "ORIGIN_REFUSED"

// Name is Info.Transport of calls over HTTP.
const Name = "http"
