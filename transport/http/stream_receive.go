package httptransport

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
)

// readLines reads the messages of a stream in NDJSON.
func (c *streamClient[In, Out]) readLines(ctx context.Context, x *sent, out func(Out) error) error {
	lines := newLineReader(x.response.Body, c.maxResponse)
	defer func() { x.call.ResponseSize = lines.read }()
	in := newInlet[Out](nil)
	for n := 1; ; n++ {
		line, err := lines.next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return c.broken(ctx, err)
		case bytes.HasPrefix(line, []byte(errorPrefix)):
			return c.problem(controlValue(line))
		}
		message, _, err := in.read(c.json, line, nil)
		if err != nil {
			return c.wrong(n, err)
		}
		if err := out(message); err != nil {
			return err
		}
	}
}

// controlValue returns the value of $error.
func controlValue(data []byte) []byte {
	var control struct {
		Error json.RawMessage `json:"$error"`
	}
	if json.Unmarshal(data, &control) != nil {
		return nil
	}
	return control.Error
}

// readEvents reads the messages of a stream in server-sent events.
func (c *streamClient[In, Out]) readEvents(ctx context.Context, x *sent, out func(Out) error) error {
	events := newEventReader(x.response.Body, c.maxResponse)
	defer func() { x.call.ResponseSize = events.read }()
	in := newInlet[Out](nil)
	for n := 1; ; n++ {
		event, err := events.next()
		switch {
		case errors.Is(err, io.EOF):
			return c.broken(ctx, io.ErrUnexpectedEOF) // without its end
		case err != nil:
			return c.broken(ctx, err)
		case event.name == endEvent:
			_, _ = events.next() // the end of the response, with its trailer; then the connection can be used again
			return nil
		case event.name == problemEvent:
			return c.problem(event.data)
		}
		message, target, err := in.read(c.json, event.data, nil)
		if err != nil {
			return c.wrong(n, err)
		}
		if s, ok := target.(EventSetter); ok {
			s.SetEvent(event.id, event.name)
			if in.elem == nil {
				message = *in.slot
			}
		}
		if err := out(message); err != nil {
			return err
		}
	}
}
