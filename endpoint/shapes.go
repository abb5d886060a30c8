package endpoint

import (
	"context"
	"errors"
	"iter"

	"github.com/ashlar-go/ashlar/status"
)

// Seq returns messages as the in of a Stream.
func Seq[T any](messages ...T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, m := range messages {
			if !yield(m, nil) {
				return
			}
		}
	}
}

// FromServerStream makes a Stream of a function that answers one request with any number of messages. A call without a request
// is InvalidArgument; only the first message of in is read.
func FromServerStream[Req, Resp any](f func(ctx context.Context, request Req, send func(Resp) error) error) Stream[Req, Resp] {
	return func(ctx context.Context, in iter.Seq2[Req, error], out func(Resp) error) error {
		request, err := first(in)
		if err != nil {
			return err
		}
		return f(ctx, request, out)
	}
}

// FromClientStream makes a Stream of a function that answers any number of requests with one response.
func FromClientStream[Req, Resp any](f func(ctx context.Context, requests iter.Seq2[Req, error]) (Resp, error)) Stream[Req, Resp] {
	return func(ctx context.Context, in iter.Seq2[Req, error], out func(Resp) error) error {
		response, err := f(ctx, in)
		if err != nil {
			return err
		}
		return out(response)
	}
}

// Stream returns e as a Stream that reads one request and sends one response.
func (e Endpoint[Req, Resp]) Stream() Stream[Req, Resp] {
	return func(ctx context.Context, in iter.Seq2[Req, error], out func(Resp) error) error {
		request, err := first(in)
		if err != nil {
			return err
		}
		response, err := e(ctx, request)
		if err != nil {
			return err
		}
		return out(response)
	}
}

// Unary calls s with one request, and returns its one response. A stream that sends none, or more than one, is Internal.
func (s Stream[In, Out]) Unary(ctx context.Context, request In) (Out, error) {
	return s.Send(ctx, Seq(request))
}

// Send calls s with the requests, and returns its one response. A stream that sends none, or more than one, is Internal.
func (s Stream[In, Out]) Send(ctx context.Context, requests iter.Seq2[In, error]) (Out, error) {
	var (
		response Out
		count    int
	)
	err := s(ctx, requests, func(message Out) error {
		if count++; count > 1 {
			return errMany
		}
		response = message
		return nil
	})
	switch {
	case err != nil:
		return response, err
	case count == 0:
		return response, errNone
	case count > 1:
		return response, errMany
	}
	return response, nil
}

// Receive calls s with one request and yields what it sends. A last pair with an error tells how it failed; without one it
// ended cleanly. Breaking off the loop cancels the call and waits for its end. A panic in the loop's body stays the
// caller's, even where a Recover of s caught it on its way.
func (s Stream[In, Out]) Receive(ctx context.Context, request In) iter.Seq2[Out, error] {
	return func(yield func(Out, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		var stopped bool
		var body any // what the loop's body panicked with
		err := s(ctx, Seq(request), func(message Out) error {
			if stopped {
				return errStopped
			}
			stopped = true // also when the body panics
			defer func() {
				if value := recover(); value != nil {
					body = value
					panic(value)
				}
			}()
			if stopped = !yield(message, nil); stopped {
				cancel()
				return errStopped
			}
			return nil
		})
		if body != nil {
			panic(body) // a middleware made an error of it
		}
		if err != nil && !stopped {
			var zero Out
			yield(zero, err)
		}
	}
}

var (
	errMany    = status.New(status.Internal, "the stream sent more than the one response")
	errNone    = status.New(status.Internal, "the stream sent no response")
	errStopped = status.New(status.Canceled, "the receiver stopped reading").WithCause(errors.New("endpoint: Receive was broken off"))
	errNoInput = status.New(status.InvalidArgument, "the stream ended before its request")
)

func first[T any](in iter.Seq2[T, error]) (T, error) {
	for message, err := range in {
		return message, err
	}
	var zero T
	return zero, errNoInput
}
