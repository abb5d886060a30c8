package xml

import (
	"bufio"
	"encoding/xml"
	"errors"
	"fmt"
	"reflect"
)

// output is where an encoder writes to. It is pooled; the encoder is not, since it counts the prefixes that it gave to
// namespaces, so that equal values would become unequal documents.
type output struct {
	*bufio.Writer // in which the encoder finds all the room that it needs

	dst []byte
}

func newOutput() *output {
	o := new(output)
	o.Writer = bufio.NewWriter(appender{o})
	return o
}

// appender is what the encoder's buffer is emptied into.
type appender struct{ *output }

func (a appender) Write(p []byte) (int, error) {
	a.dst = append(a.dst, p...)
	return len(p), nil
}

// Append appends the XML of v to dst, without a declaration. The root is named by the field XMLName of a struct, else by the
// type. Equal values have equal encodings.
func (c *Codec) Append(dst []byte, v any) ([]byte, error) {
	if err := c.check(reflect.TypeOf(v)); err != nil {
		return dst, fmt.Errorf("xml: encoding %T: %w", v, err)
	}
	o, _ := c.outputs.Get().(*output)
	o.dst = dst
	err := xml.NewEncoder(o.Writer).Encode(v)
	out := o.dst
	o.dst = nil
	o.Reset(appender{o}) // after an error it holds a part
	c.outputs.Put(o)
	if err == nil && len(out) == len(dst) {
		err = errors.New("nil has no XML")
	}
	if err != nil {
		return dst, fmt.Errorf("xml: encoding %T: %w", v, err)
	}
	return out, nil
}
