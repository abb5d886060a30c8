package codectest

import (
	"math"
	"time"
)

// Order is the document of most checks.
type Order struct {
	ID    string    `cbor:"id"    form:"id"    json:"id"    msgpack:"id"    xml:"id"`
	Note  string    `cbor:"note"  form:"note"  json:"note"  msgpack:"note"  xml:"note"`
	Time  time.Time `cbor:"time"  form:"time"  json:"time"  msgpack:"time"  xml:"time"`
	Items []Item    `cbor:"items" form:"items" json:"items" msgpack:"items" xml:"items"`
}

// Item is a line of an Order.
type Item struct {
	Name  string `cbor:"name"  form:"name"  json:"name"  msgpack:"name"  xml:"name"`
	Price int    `cbor:"price" form:"price" json:"price" msgpack:"price" xml:"price"`
}

// Flat is the document of encodings without Nesting.
type Flat struct {
	Name  string `cbor:"name"  form:"name"  json:"name"  msgpack:"name"  xml:"name"`
	Price int    `cbor:"price" form:"price" json:"price" msgpack:"price" xml:"price"`
}

// Node nests as deep as one likes.
type Node struct {
	Next *Node `cbor:"next,omitempty" form:"next,omitempty" json:"next,omitempty" msgpack:"next,omitempty" xml:"next,omitempty"`
}

// stranger knows no member of Node.
type stranger struct {
	Other string `cbor:"other" form:"other" json:"other" msgpack:"other" xml:"other"`
}

// inWords is an Order in which the first three items have no price and the fourth has one that is no number.
type inWords struct {
	Items []itemInWords `cbor:"items" form:"items" json:"items" msgpack:"items" xml:"items"`
}

type itemInWords struct {
	Name  string `cbor:"name"            form:"name"            json:"name"            msgpack:"name"            xml:"name"`
	Price string `cbor:"price,omitempty" form:"price,omitempty" json:"price,omitempty" msgpack:"price,omitempty" xml:"price,omitempty"`
}

// unencodable fails only after something was encoded.
type unencodable struct {
	Name string   `cbor:"name" form:"name" json:"name" msgpack:"name" xml:"name"`
	Last chan int `cbor:"last" form:"last" json:"last" msgpack:"last" xml:"last"`
}

type (
	scalars struct {
		Bool                   bool
		Int                    int
		Int8                   int8
		Int16                  int16
		Int32                  int32
		Int64                  int64
		Uint                   uint
		Uint8                  uint8
		Uint16                 uint16
		Uint32                 uint32
		Uint64                 uint64
		Float32                float32
		Float64, Small, Fract  float64
		Text, Unicode, Escapes string
		Kind                   kind
	}
	kind string

	times struct{ Time, Old, Nano time.Time }

	// Base is embedded.
	Base struct{ Created, Author string }

	embedding struct {
		Base
		Name string
	}

	lists struct {
		Ints    []int
		Texts   []string
		Floats  []float64
		Structs []Item
		Empty   []string
	}

	pointers struct {
		Int, NoInt   *int
		Text, NoText *string
		Item, NoItem *Item
	}

	maps struct {
		Texts map[string]string
		Ints  map[string]int
		Items map[string]Item
		Lists map[string][]string
	}

	nestedSlices struct{ Matrix [][]int }

	anything struct{ Text, Bool, List, None any }

	binary struct{ Data, Text []byte }
)

// samples returns what the encoding can represent.
func (h *Harness) samples() []any {
	if !h.has(Values) {
		return nil
	}
	date := time.Date(2026, time.February, 28, 23, 59, 58, 0, time.UTC)
	samples := []any{
		&scalars{},
		&scalars{
			Bool: true, Int: math.MaxInt, Int8: math.MaxInt8, Int16: math.MaxInt16, Int32: math.MaxInt32, Int64: math.MaxInt64,
			Uint: math.MaxUint, Uint8: math.MaxUint8, Uint16: math.MaxUint16, Uint32: math.MaxUint32, Uint64: math.MaxUint64,
			Float32: math.MaxFloat32, Float64: math.MaxFloat64, Small: math.SmallestNonzeroFloat64, Fract: 0.1,
			Text: "plain", Unicode: "Grüße, 世界 \U0001F98A \u2028 e\u0301", Escapes: "<a href='?b=1&c=%20+'>\"\\/\t\r\n</a>", Kind: "a kind",
		},
		&scalars{
			Int: math.MinInt, Int8: math.MinInt8, Int16: math.MinInt16, Int32: math.MinInt32, Int64: math.MinInt64,
			Float32: -math.SmallestNonzeroFloat32, Float64: -math.MaxFloat64, Fract: 1.0 / 3,
		},
		&times{Time: date, Old: time.Date(1, time.January, 2, 3, 4, 5, 0, time.UTC), Nano: date.Add(123456789)},
		&embedding{Base: Base{Created: "today", Author: "me"}, Name: "x"},
		&pointers{},
	}
	add := func(needs Feature, sample any) {
		if h.has(needs) {
			samples = append(samples, sample)
		}
	}
	item, zero, number := Item{Name: "stone", Price: 3}, "", -5
	add(Nesting, h.order())
	add(Nesting, &lists{Ints: []int{1, -2, 3}, Texts: []string{"", "b"}, Floats: []float64{0.5}, Structs: []Item{item, {}, item}})
	add(Nesting, &pointers{Int: &number, Item: &item})
	add(Nesting|Null, &pointers{Int: new(int), Text: &zero, Item: &Item{}})
	add(NestedSlices, &nestedSlices{Matrix: [][]int{{1, 2}, {}, {3}}})
	add(Any, &anything{Text: "text", Bool: true, List: []any{"a", false, nil}})
	add(Binary, &binary{Data: []byte{0, 1, 0xFF, 0xFE, '<', '&', '"'}, Text: []byte("text")})
	add(Maps, &maps{})
	add(Maps, &maps{
		Texts: map[string]string{"": "no key", "a b": "x", "ü": ""},
		Ints:  map[string]int{"one": 1},
		Items: map[string]Item{"first": item},
		Lists: map[string][]string{"list": {"a", "b"}},
	})
	add(Roots, &[]int{1, 2, 3})
	add(Roots, &[]Item{item, item})
	text, yes := "a text on its own", true
	add(Roots, &text)
	add(Roots, &yes)
	add(Roots, &number)
	add(Roots|Maps, &map[string]int{"one": 1, "two": 2})
	return samples
}

func (h *Harness) order() *Order {
	return &Order{
		ID: "order-1", Note: "with a note", Time: time.Date(2026, time.March, 1, 0, 0, 0, 0, time.UTC),
		Items: []Item{{"brick", 1}, {"stone", 2}, {"slate", 3}, {"lime", 4}},
	}
}
