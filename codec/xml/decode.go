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
	errOutside     = errors.New("text outside the root element")
	errSecondRoot  = errors.New("a second root element")
	errDeclaration = errors.New("a document type declaration")
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
	if deeper(data, c.maxDepth) {
		return &codec.DecodeError{Problem: fmt.Sprintf("nested deeper than %d levels", c.maxDepth)}
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
		case xml.Directive:
			return nil, errDeclaration
		case xml.CharData:
			if len(bytes.TrimSpace(t)) > 0 {
				return nil, errOutside
			}
		}
	}
}

// deeper reports whether the elements of data nest more than limit levels deep. What is no XML may be called either.
func deeper(data []byte, limit int) bool {
	depth := 0
	for {
		start := bytes.IndexByte(data, '<')
		if start < 0 {
			return false
		}
		data = data[start:]
		switch {
		case bytes.HasPrefix(data, []byte("<!--")):
			data = after(data[4:], "-->")
		case bytes.HasPrefix(data, []byte("<![CDATA[")):
			data = after(data, "]]>")
		case bytes.HasPrefix(data, []byte("<?")):
			data = after(data, "?>")
		case bytes.HasPrefix(data, []byte("</")):
			depth--
			data = data[2:]
		default:
			if depth++; depth > limit {
				return true
			}
			end := tagEnd(data)
			if end > 0 && data[end-1] == '/' {
				depth--
			}
			data = data[end:]
		}
	}
}

func after(data []byte, end string) []byte {
	_, rest, _ := bytes.Cut(data, []byte(end))
	return rest
}

// tagEnd returns the index of the > that ends the tag in front, which may have quoted ones before.
func tagEnd(data []byte) int {
	quote := byte(0)
	for i, b := range data {
		switch {
		case quote != 0:
			if b == quote {
				quote = 0
			}
		case b == '"' || b == '\'':
			quote = b
		case b == '>':
			return i
		}
	}
	return len(data)
}
