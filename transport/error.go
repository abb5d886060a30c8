package transport

import (
	"context"
	"errors"
	"fmt"
)

// ErrNotSent is found by errors.Is in the error of a call whose request surely never reached the other side, such as a
// connection that was refused. Repeating such a call is safe even when it is not idempotent.
var ErrNotSent = errors.New("the request was not sent")

// ErrWithheld is found by errors.Is in the error of a call that a policy of this process kept back, such as a circuit breaker or a limiter
// in front of one instance. It says nothing of how the other side is: another instance can be asked at once, and nobody need be dialled
// anew. ErrNotSent is found in it, too.
var ErrWithheld = fmt.Errorf("the call was withheld: %w", ErrNotSent)

// ErrNotBegun is found by errors.Is in the error of a call that the other side refused before it had begun with it, as a server that
// is full does. Repeating it is as safe. The clients over HTTP and NATS add it to the cause when the answer has NotBegunHeader. That over
// gRPC does not: HTTP/2 has a sign of its own for such a request, and grpc-go sends it again by itself. Since a cause never leaves a
// process, a server that returns such an error of a call of its own does not say so of the call that it serves.
var ErrNotBegun = errors.New("the request was refused before it was begun")

// NotBegunHeader is the header field, with the value "true", by which a server transport says that it refuses a request before anything
// of it was begun. A reason such as SHUTTING_DOWN does not say that: it is also what calls end with that are cut off. A request over HTTP
// has it, with the value "understood", when its client knows what it means in an answer.
const NotBegunHeader = "Ashlar-Not-Begun"

// NotBegun says whether the call that failed with err surely had no effect, as ErrNotSent and ErrNotBegun say.
func NotBegun(err error) bool { return errors.Is(err, ErrNotSent) || errors.Is(err, ErrNotBegun) }

// SetNotBegun says in the answer to the call of the operation that nothing of it was begun, where the client understands that: it sets
// NotBegunHeader. It is for middleware of servers that refuses a call, and has nothing before it that has an effect. It does nothing where
// another operation is being served, which calls this one within the process: that has begun.
func SetNotBegun(ctx context.Context, operation string) {
	info := FromContext(ctx)
	if info == nil || info.Response == nil || info.Operation != operation {
		return
	}
	switch info.Transport {
	case "nats":
	case "http":
		if info.Request == nil || info.Request.Get(NotBegunHeader) != understood {
			return
		}
	default:
		return // nobody reads it
	}
	info.Response.Set(NotBegunHeader, notBegun[:]...)
}

const understood = "understood"

var notBegun = [...]string{"true"}
