package transporttest

import (
	"fmt"
	"iter"

	"github.com/ashlar-go/ashlar/endpoint"
)

// numbered yields n messages with the numbers from 0 on.
func numbered(n int) iter.Seq[Message] {
	return func(yield func(Message) bool) {
		for i := range n {
			if !yield(Message{Number: int64(i)}) {
				return
			}
		}
	}
}

// asIn is messages as the in of a stream.
func asIn(messages iter.Seq[Message]) sequence {
	return func(yield func(Message, error) bool) {
		for m := range messages {
			if !yield(m, nil) {
				return
			}
		}
	}
}

// sendAll sends the messages.
func sendAll(out func(Message) error, messages iter.Seq[Message]) error {
	for m := range messages {
		if err := out(m); err != nil {
			return err
		}
	}
	return nil
}

// counter sees to it that numbered messages come in order.
type counter struct{ next int64 }

func (n *counter) see(m Message) error {
	if m.Number != n.next {
		return fmt.Errorf("want message %d, have %d", n.next, m.Number)
	}
	n.next++
	return nil
}

// all reads numbered messages, and fails unless there are n.
func (n *counter) all(in sequence, want int) error {
	for m, err := range in {
		if err != nil {
			return err
		}
		if err := n.see(m); err != nil {
			return err
		}
	}
	return n.end(want)
}

func (n *counter) end(want int) error {
	if n.next != int64(want) {
		return fmt.Errorf("want %d messages, have %d", want, n.next)
	}
	return nil
}

// many returns n where the shape has many requests, else 1.
func (c *cell) many(n int, kinds []endpoint.Kind) int {
	if c.has(kinds) {
		return n
	}
	return 1
}
