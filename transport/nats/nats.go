// Package natstransport serves and calls endpoints over NATS.
//
// Servers are put onto a connection together, as one NATS micro service, and clients find them by their subjects:
//
//	service, err := natstransport.Serve(nc, "payments", "1.4.0", []*natstransport.Server{
//		natstransport.NewServer(charge, endpoint.New(charge, svc.Charge, common)),
//		natstransport.NewStreamServer(watch, endpoint.NewStream(watch, svc.Watch, common)),
//	})
//	defer service.Shutdown(ctx)
//
//	conn, err := natstransport.NewConn(nc)
//	defer conn.Close()
//	call, err := natstransport.NewClient[Charge, Receipt](charge, conn)
//
// The *nats.Conn is the user's: its addresses, its credentials, how it reconnects, and its end.
//
// # Subjects
//
// The operation payments/Charge has the subject payments.Charge: Service and Method, joined by a dot; see Subject. ServerSubject and
// ClientSubject set another. Instances that serve a subject are a queue group, so that each request goes to one of them.
//
// # Messages
//
// A request is the encoding of its type, and its header says which: Content-Type, where it is not JSON. The response is in the same
// encoding. Deadlines travel in transport.TimeoutHeader. A client that gives up before its deadline says so on the subject that
// CancelSubject returns, so that the server's context ends.
//
// An error has the header fields of NATS micro services, Nats-Service-Error and Nats-Service-Error-Code, with which any client sees
// that it is one, and all of the *status.Error that status.From gives for it as problem details (RFC 9457) in its body.
//
// # Streams
//
// A stream is a conversation between two inboxes, with credit in both directions, numbered frames and heartbeats. The protocol is written
// down in docs/transport-nats-streams.md.
package natstransport

import (
	"time"

	"github.com/nats-io/nats.go/micro"
)

// Name is Info.Transport of calls over NATS.
const Name = "nats"

// Default limits. Those without an option of their own hold always.
const (
	// DefaultMaxRequest is how many bytes a request may have, and on a stream each message. NATS itself carries no more by default.
	DefaultMaxRequest = 1 << 20
	// DefaultMaxResponse is how many bytes of a response a client takes, and on a stream of each message.
	DefaultMaxResponse = 4 << 20
	// DefaultMaxInFlight is how many requests or streams a server serves at once. What comes beyond is answered with Unavailable.
	DefaultMaxInFlight = 1024
	// DefaultQueueGroup is the queue group that instances are in, which is that of NATS micro services.
	DefaultQueueGroup = micro.DefaultQueueGroup
	// MaxPendingMessages and MaxPendingBytes limit what a subscription holds that has not been looked at yet. That takes less than the
	// reading from the network, so that they are met only by a process that gets no processor time. What comes beyond is lost, and
	// reported.
	MaxPendingMessages = 64 << 10
	MaxPendingBytes    = 64 << 20
	// DefaultGrace is how long streams go on when a Service is shut down.
	DefaultGrace = 5 * time.Second
)

// Outcome tells a finalizer what really happened.
type Outcome struct {
	// Err is why the call failed, or why its response could not be sent; nil if all went well. On the server it has its causes, of a
	// panic the *endpoint.PanicError; on the client it is what the caller gets.
	Err error
	// RequestSize and ResponseSize count the bytes of the encoded messages.
	RequestSize, ResponseSize int64
}
