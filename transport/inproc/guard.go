package inproc

import (
	"iter"

	"github.com/ashlar-go/ashlar/status"
)

// clientSide is what became of the client's in, or of its out.
type clientSide struct {
	running bool  // the client's code runs; still set, it has panicked
	err     error // why the client broke off
}

// errBrokeOff is what a server sees of a client whose own in or out has failed.
var errBrokeOff = status.New(status.Canceled, "the client broke off")

// clientPanicked reports whether a panic is the client's, which passes through the server but is none of its own.
func (x *exchange) clientPanicked() bool { return x.clientIn.running || x.clientOut.running }

// guardIn is the client's in as the server sees it: it ends with an error when the call has ended, and when the client's
// own messages end with one.
func guardIn[T any](x *exchange, in iter.Seq2[T, error]) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var zero T
		ended := false
		deliver := func(message T, err error) (more bool) {
			if gone := x.gone(); gone != nil {
				message, err = zero, status.From(gone)
			} else if err != nil {
				x.clientIn.err = err
				x.end()
				message, err = zero, errBrokeOff
			}
			ended = !yield(message, err) || err != nil
			return !ended
		}
		x.clientIn.running = true
		for message, err := range in {
			x.clientIn.running = false
			more := deliver(message, err)
			x.clientIn.running = true
			if !more {
				break
			}
		}
		x.clientIn.running = false
		if gone := x.gone(); gone != nil && !ended {
			yield(zero, status.From(gone))
		}
	}
}

// guardOut is the client's out as the server sees it: it fails when the call has ended, and when the client wants no more.
func guardOut[T any](x *exchange, out func(T) error) func(T) error {
	return func(message T) error {
		if gone := x.gone(); gone != nil {
			return status.From(gone)
		}
		err := x.answer()
		if err != nil {
			return err
		}
		x.clientOut.running = true
		err = out(message)
		x.clientOut.running = false
		if err != nil {
			x.clientOut.err = err
			x.end()
			return errBrokeOff
		}
		return nil
	}
}
