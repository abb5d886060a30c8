package xml

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"reflect"

	"github.com/ashlar-go/ashlar/codec"
)

var (
	errOutside    = errors.New("text outside the root element")
	errSecondRoot = errors.New("a second root element")
)

// Decode reads the document in data into what v points to. Elements and attributes that v does not have are passed over; fields
// of v that data does not have stay as they were, and slices grow.
func (c *Codec) Decode(data []byte, v any) error {
	target := reflect.ValueOf(v)
	if target.Kind() != reflect.Pointer || target.IsNil() {
		return fmt.Errorf("xml: decoding into %T: want a pointer that is not nil", v)
	}
	if err := c.check(target.Type()); err != nil {
		return fmt.Errorf("xml: decoding into %T: %w", v, err)
	}
	if problem := c.scan(data); problem != "" {
		return &codec.DecodeError{Problem: problem}
	}
	d := xml.NewDecoder(bytes.NewReader(data))
	if err := decode(d, v); err != nil {
		if own, ok := errors.AsType[*xml.TagPathError](err); ok {
			return fmt.Errorf("xml: decoding into %T: %w", v, own)
		}
		return decodeError(data, d, err)
	}
	return nil
}

func decode(d *xml.Decoder, v any) error {
	root, err := next(d)
	if err != nil {
		return err
	}
	if err := d.DecodeElement(v, root); err != nil {
		return err
	}
	switch _, err := next(d); {
	case err == nil:
		return errSecondRoot
	case !errors.Is(err, io.EOF):
		return err
	}
	return nil
}

// next returns the start of the next root element, or io.EOF.
func next(d *xml.Decoder) (*xml.StartElement, error) {
	for {
		token, err := d.Token()
		if err != nil {
			return nil, err
		}
		switch t := token.(type) {
		case xml.StartElement:
			return &t, nil
		case xml.CharData:
			if len(bytes.TrimSpace(t)) > 0 {
				return nil, errOutside
			}
		}
	}
}
