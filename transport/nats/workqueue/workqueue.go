// Package workqueue binds endpoints to durable consumers of NATS JetStream: jobs that outlive whoever asked for them, are
// shared between workers, tried again with growing delays, and set aside when that is no use.
//
// One process, or many, serve an operation:
//
//	server := workqueue.NewServer(resize, endpoint.New(resize, svc.Resize, common), workqueue.ServerDeadLetter("dead.resize"))
//	consumer, err := js.CreateOrUpdateConsumer(ctx, "JOBS", server.Config("resize"))
//	...
//	worker, err := server.Consume(ctx, js, consumer)
//	...
//	defer worker.Drain(ctx)
//
// and others ask for it, with an endpoint that stores the job and returns where:
//
//	enqueue, err := workqueue.NewClient[Resize](resize.Client(), js, "jobs.resize")
//	receipt, err := enqueue(ctx, Resize{Image: "42"})
//
// # What becomes of a message
//
// An endpoint that returns no error acknowledges its message. An error that is worth another attempt has it delivered again
// after a while, to any worker; see Retryable and DefaultFirstBackoff. Any other error, and the last of ServerMaxDeliver
// deliveries, ends it: it is published to the dead-letter subject, and only when that is stored the consumer is told to deliver
// it no more. While an endpoint works JetStream is told so, and a message whose worker has died is delivered again after
// AckWait.
//
// A message is so delivered at least once. An endpoint must bear to see one again, whose work was done and whose
// acknowledgement was lost; Delivery.ID is the same each time.
//
// # Who owns what
//
// The stream and the consumer are the user's; Server.Config has what a worker needs of the consumer, and Consume fails for one that
// does not have it. The connection is the user's too: drain the workers before it is closed.
package workqueue

import "time"

// Name is Info.Transport of messages of a work queue, and of publishing them.
const Name = "workqueue"

// Defaults, each for the option of the same name.
const (
	// DefaultConcurrency is how many messages one worker works on at once.
	DefaultConcurrency = 16
	// DefaultAckWait is how long JetStream waits for a sign of a worker: JetStream's own default.
	DefaultAckWait = 30 * time.Second
	// DefaultMaxDeliver is how often a message is delivered. With the default backoff the attempts spread over four minutes on
	// average, and nine at most.
	DefaultMaxDeliver = 10
	// DefaultFirstBackoff limits the delay after the first delivery; it doubles with each further one.
	DefaultFirstBackoff = time.Second
	// DefaultMostBackoff limits all delays.
	DefaultMostBackoff = 10 * time.Minute
	// DefaultTimeLimit is how long an endpoint may work on one message.
	DefaultTimeLimit = 15 * time.Minute
	// DefaultMaxAckPending is how many messages of a consumer are worked on, or wait for their next attempt. While there are
	// more, JetStream delivers no others.
	DefaultMaxAckPending = 10_000
)

// MinAckWait is the shortest time to wait for a sign of a worker: three heartbeats must fit in.
const MinAckWait = 100 * time.Millisecond

// Limits that no option changes.
const (
	publishLimit = 5 * time.Second // to store a dead letter or a result
	forcedLimit  = time.Second     // from the end of the contexts until messages are given back without waiting for their endpoints
	flushLimit   = 2 * time.Second // to bring the last acknowledgements to the server
	lookupLimit  = 5 * time.Second // to ask whether a consumer is still there
)

// Verdict is what became of one delivery of a message.
type Verdict uint8

const (
	// Acknowledged says that the endpoint succeeded.
	Acknowledged Verdict = iota + 1
	// Retried says that the message is delivered again after Outcome.Delay.
	Retried
	// Released says that the worker was stopped, and the message is delivered again at once.
	Released
	// DeadLettered says that the message is stored under the dead-letter subject, and delivered no more.
	DeadLettered
	// Terminated says that the message is delivered no more, since it failed for good and there is no dead-letter subject.
	Terminated
	// Lost says that the worker could not keep the message, or not tell JetStream what became of it: it is delivered again.
	Lost
)

// String returns the verdict in lower case, such as "dead lettered".
func (v Verdict) String() string {
	switch v {
	case Acknowledged:
		return "acknowledged"
	case Retried:
		return "retried"
	case Released:
		return "released"
	case DeadLettered:
		return "dead lettered"
	case Terminated:
		return "terminated"
	case Lost:
		return "lost"
	}
	return "unset"
}

// Outcome tells a finalizer what really happened.
type Outcome struct {
	// Err is why the delivery, or a client's call, failed; nil if all went well. On a server it has its causes, of a panic
	// the *endpoint.PanicError.
	Err error
	// Verdict is what became of the delivery; unset on a client.
	Verdict Verdict
	// Delay is how long JetStream waits before it delivers a message again that is Retried.
	Delay time.Duration
	// RequestSize and ResponseSize count the bytes of the encoded messages; without ServerResults there is no response.
	RequestSize, ResponseSize int64
}
