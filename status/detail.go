package status

import (
	"encoding/json"
	"fmt"
)

// Detail is a piece of typed data in an error: what shop.OutOfStock is to a program that knows it.
type Detail struct {
	// Type is the full name of the type, such as "shop.OutOfStock".
	Type string `json:"type"`
	// Value is the data as compact JSON.
	Value json.RawMessage `json:"value"`
}

// NewDetail encodes value under the name of its type. It fails for an empty name and for what JSON cannot say.
func NewDetail(name string, value any) (Detail, error) {
	if name == "" {
		return Detail{}, fmt.Errorf("status: a detail of type %T needs a name", value)
	}
	data, err := json.Marshal(value)
	if err != nil {
		return Detail{}, fmt.Errorf("status: encoding detail %s: %w", name, err)
	}
	return Detail{Type: name, Value: data}, nil
}

// Decode stores the detail's data in what value points to.
func (d Detail) Decode(value any) error {
	if err := json.Unmarshal(d.Value, value); err != nil {
		return fmt.Errorf("status: decoding detail %s: %w", d.Type, err)
	}
	return nil
}

// DetailOf returns the first detail of that type in the *Error of err's tree.
func DetailOf(err error, name string) (Detail, bool) {
	if e := As(err); e != nil {
		for _, d := range e.Details {
			if d.Type == name {
				return d, true
			}
		}
	}
	return Detail{}, false
}
