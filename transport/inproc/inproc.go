// Package inproc serves and calls endpoints inside one process, with the semantics of a network transport and without a
// network: tests need no ports, and a program can keep two services together that may be apart one day.
//
// Servers stand on a Mux, and clients find them there by their operation:
//
//	var mux inproc.Mux
//	mux.Handle(inproc.NewServer(place, endpoint.New(place, svc.Place, common)))
//	call, err := inproc.NewClient[PlaceOrder, Order](place.Client(), &mux)
//
// # What crosses
//
// The server's context has the client's deadline and ends with the client's or with the call, whichever is first; it has
// none of the client's values. Header fields cross both ways: transport.WithHeader sends them, transport.FromContext has
// them on the server, transport.Observe has the response's on the client.
//
// An error crosses as status.From gives it, without its cause, so the client gets an equal *status.Error and never the same.
// A call whose context has ended by the time the server returns fails with that, as it would have over a network.
//
// Messages are handed over as they are, and the two sides share what pointers in them lead to, unless ClientCopy sends
// them through a codec. That also lets the two sides have different Go types.
//
// # Goroutines
//
// A call runs on the caller's goroutine, streams too: out of the server runs out of the client, and in of the client is
// what the server ranges over. So the client waits until the server has returned, also after its context has ended.
package inproc

import (
	"errors"
	"slices"

	"github.com/ashlar-go/ashlar/status"
)

// errNoMethod refuses an operation that no client could find.
var errNoMethod = errors.New("the operation has no name: Spec.Method is empty")

// Name is Info.Transport of calls inside the process.
const Name = "inproc"

// Outcome tells a finalizer what really happened.
type Outcome struct {
	// Err is why the call failed, nil if all went well. On the server it has its causes, of a panic the
	// *endpoint.PanicError; on the client it is what the caller gets.
	Err error
	// RequestSize and ResponseSize count the bytes of the encoded messages; 0 without ClientCopy.
	RequestSize, ResponseSize int64
}

// wire returns what the client gets of err: an equal error that shares nothing with it, without the cause.
func wire(err *status.Error) *status.Error {
	c := *err
	c.Cause = nil
	c.Violations = slices.Clone(err.Violations)
	c.Details = slices.Clone(err.Details)
	for i := range c.Details {
		c.Details[i].Value = slices.Clone(c.Details[i].Value)
	}
	return &c
}
