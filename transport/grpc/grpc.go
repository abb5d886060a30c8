// Package grpctransport serves and calls endpoints over gRPC, without generated servers or clients, and beside them.
//
// Servers are assembled into services by name, Spec.Service being the "pkg.Service" of the protocol and Spec.Method its
// method, and stand on any *grpc.Server:
//
//	srv := grpctransport.NewGRPCServer(grpctransport.GRPCHealth(), grpctransport.GRPCReflection())
//	grpctransport.Register(srv,
//		grpctransport.NewServer(place, endpoint.New(place, svc.Place, common)),
//		grpctransport.NewStreamServer(watch, endpoint.NewStream(watch, svc.Watch, common)))
//	err := srv.Serve(listener)
//
// Where the service is known to the program as a Protocol Buffers file, each method is checked against it.
//
// # Messages
//
// A request or response that is a generated message is sent as it is. For any other type ServerDecoder, ServerEncoder, ClientEncoder
// and ClientDecoder say which message it travels in.
//
// # Errors
//
// An error reaches the caller as a google.rpc.Status made of the *status.Error that status.From gives for it: the reason as
// ErrorInfo, the ID as RequestInfo, the time to wait as RetryInfo, the violations as BadRequest, the details after these. The client
// turns it back into an equal *status.Error. An error of grpc-go that an endpoint returns, as from a call that it made with a generated
// client, is an error like any other: the caller sees Internal and an ID, and none of its text.
//
// # Header fields
//
// Header fields are gRPC's metadata: their keys travel in lower case, values are printable ASCII, and those of a key that ends in -bin are
// any bytes. What gRPC keeps for itself cannot be set.
package grpctransport

// Name is Info.Transport of calls over gRPC.
const Name = "grpc"

// Default limits. Each can be set by an option.
const (
	// DefaultMaxRequest is how many bytes of a request, or of each message of a stream, a server of NewGRPCServer reads, after
	// decompression.
	DefaultMaxRequest = 1 << 20
	// DefaultMaxResponse is how many bytes of a response, or of each message of a stream, a client reads, after decompression.
	DefaultMaxResponse = 4 << 20
	// DefaultMaxHeader is how large a header a server of NewGRPCServer and a connection of Dial take: the bytes of names and values, and
	// 32 more for each field (RFC 9113, section 6.5.2).
	DefaultMaxHeader = 64 << 10
	// DefaultMaxError is how many bytes of a trailer an error takes, in the form in which it is sent. Many clients take 8 KiB in all.
	DefaultMaxError = 7 << 10
)

// Outcome tells a finalizer what really happened.
type Outcome struct {
	// Err is why the call failed, nil if all went well. On the server it has its causes, of a panic the
	// *endpoint.PanicError; on the client it is what the caller gets.
	Err error
	// RequestSize and ResponseSize count the bytes of the encoded messages, before any compression.
	RequestSize, ResponseSize int64
}
