package codectest

import (
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/ashlar-go/ashlar/codec"
)

// blank returns a new pointer to a zero value of the type that sample points to.
func blank(sample any) any {
	return reflect.New(reflect.TypeOf(sample).Elem()).Interface()
}

// into returns what to decode d into.
func (d Document) into() any {
	if d.Into == nil {
		return new(Order)
	}
	return blank(d.Into)
}

// main returns the sample that checks use which need only one: an Order if the encoding has it.
func (h *Harness) main() any {
	switch {
	case h.has(Values | Nesting):
		return h.order()
	case h.has(Values):
		return &Flat{Name: "a name", Price: 42}
	}
	return h.Samples[0]
}

// document returns the encoding of the main sample.
func (h *Harness) document() ([]byte, error) {
	data, err := h.Codec.Append(nil, h.main())
	if err != nil {
		return nil, fmt.Errorf("encoding %T: %w", h.main(), err)
	}
	return data, nil
}

func (h *Harness) completeWrongType() error {
	if len(h.WrongType) > 0 {
		return nil
	}
	if !h.has(Values | Nesting) {
		return errors.New("codectest: the harness needs a document of the wrong type")
	}
	data, err := h.Codec.Append(nil, inWords{Items: []itemInWords{{Name: "a"}, {Name: "b"}, {Name: "c"}, {Name: "d", Price: "cheap"}}})
	if err != nil {
		return fmt.Errorf("codectest: encoding a document of the wrong type: %w", err)
	}
	h.WrongType = []Document{{Name: "a price in words", Data: data, Path: "items[3].price"}}
	return nil
}

func (h *Harness) deepNode(depth int) Document {
	node := &Node{}
	for range depth - 1 {
		node = &Node{Next: node}
	}
	data, err := h.Codec.Append(nil, node)
	if err != nil {
		data = nil // the check says that Deep is needed
	}
	return Document{Name: fmt.Sprintf("%d levels", depth), Data: data, Into: node}
}

// refused returns an error unless decoding d fails with a proper *codec.DecodeError.
func (h *Harness) refused(d Document) error {
	_, err := h.decodeError(d)
	return err
}

func (h *Harness) decodeError(d Document) (*codec.DecodeError, error) {
	err := h.Codec.Decode(d.Data, d.into())
	if err == nil {
		return nil, fmt.Errorf("%s: %s is accepted", d.Name, excerpt(d.Data))
	}
	de, ok := errors.AsType[*codec.DecodeError](err)
	if !ok {
		return nil, fmt.Errorf("%s: %s fails with a %T and no *codec.DecodeError: %w", d.Name, excerpt(d.Data), err, err)
	}
	if de.Problem == "" {
		return nil, fmt.Errorf("%s: %s fails with a DecodeError without a problem", d.Name, excerpt(d.Data))
	}
	return de, nil
}

// excerpt quotes data, the beginning alone if there is much of it.
func excerpt(data []byte) string {
	const most = 120
	if len(data) > most {
		return fmt.Sprintf("%q... (%d bytes)", data[:most], len(data))
	}
	return fmt.Sprintf("%q", data)
}

// Equal compares deeply, times as instants and nil slices and maps as empty ones. It is what Harness.Equal is by default.
func Equal(want, have any) bool { return equalValues(reflect.ValueOf(want), reflect.ValueOf(have)) }

func equalValues(want, have reflect.Value) bool {
	if want.IsValid() != have.IsValid() {
		return false
	}
	if !want.IsValid() {
		return true
	}
	if want.Type() != have.Type() {
		return false
	}
	if t, ok := reflect.TypeAssert[time.Time](want); ok {
		u, _ := reflect.TypeAssert[time.Time](have)
		return t.Equal(u)
	}
	switch want.Kind() {
	case reflect.Pointer, reflect.Interface:
		return want.IsNil() == have.IsNil() && (want.IsNil() || equalValues(want.Elem(), have.Elem()))
	case reflect.Struct:
		return every(want.NumField(), func(i int) bool { return equalValues(want.Field(i), have.Field(i)) })
	case reflect.Slice:
		return want.Len() == have.Len() && every(want.Len(), func(i int) bool { return equalValues(want.Index(i), have.Index(i)) })
	case reflect.Map:
		keys := want.MapKeys()
		return want.Len() == have.Len() && every(len(keys), func(i int) bool {
			return equalValues(want.MapIndex(keys[i]), have.MapIndex(keys[i]))
		})
	}
	return want.Comparable() && want.Equal(have)
}

func every(n int, holds func(i int) bool) bool {
	for i := range n {
		if !holds(i) {
			return false
		}
	}
	return true
}
