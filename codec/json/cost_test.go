package json_test

import (
	"bytes"
	v1 "encoding/json"
	"strconv"
	"strings"
	"testing"

	"github.com/ashlar-go/ashlar/codec/json"
)

type sum struct {
	A int `json:"a"`
	B int `json:"b"`
}

type orders struct {
	Orders []order `json:"orders"`
}

type order struct {
	ID       int      `json:"id"`
	Customer customer `json:"customer"`
	Lines    []line   `json:"lines"`
	Paid     bool     `json:"paid"`
}

type customer struct {
	Name string `json:"name"`
	City string `json:"city"`
}

type line struct {
	SKU      string  `json:"sku"`
	Quantity int     `json:"quantity"`
	Price    float64 `json:"price"`
}

// manyOrders takes about 64 KiB of JSON.
func manyOrders() *orders {
	all := &orders{}
	for i := range 500 {
		all.Orders = append(all.Orders, order{
			ID: i, Customer: customer{"Customer " + strconv.Itoa(i), "Berlin"},
			Lines: []line{{"sku-" + strconv.Itoa(i), i % 7, 9.95}}, Paid: i%2 == 0,
		})
	}
	return all
}

func TestAllocations(t *testing.T) {
	if race {
		t.Skip("the race detector allocates")
	}
	c, dst, small := json.New(), make([]byte, 0, 100_000), []byte(`{"a":1,"b":2}`)
	var in sum
	for name, tt := range map[string]struct {
		want float64
		do   func() error
	}{
		"append a small pointer": {0, func() error { _, err := c.Append(dst, &in); return err }},
		"decode a small body":    {0, func() error { return c.Decode(small, &in) }},
	} {
		have := testing.AllocsPerRun(200, func() {
			if err := tt.do(); err != nil {
				t.Fatal(err)
			}
		})
		if have > tt.want {
			t.Errorf("%s: want at most %v allocations, have %v", name, tt.want, have)
		}
	}
	large := manyOrders()
	if have := testing.AllocsPerRun(50, func() { _, _ = c.Append(dst, large) }); have > 0 {
		t.Errorf("append 500 orders: want no allocation, have %v", have)
	}
}

func benchmarkAppend[T any](b *testing.B, v *T) {
	c := json.New()
	dst := make([]byte, 0, 100_000)
	b.Run("ashlar", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := c.Append(dst, v); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("v1", func(b *testing.B) {
		b.ReportAllocs()
		buf := bytes.NewBuffer(dst)
		for b.Loop() {
			buf.Reset()
			if err := v1.NewEncoder(buf).Encode(v); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func benchmarkDecode[T any](b *testing.B, v *T) {
	c := json.New()
	data, err := c.Append(nil, v)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("ashlar", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := c.Decode(data, new(T)); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("v1", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := v1.Unmarshal(data, new(T)); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("v1 from a reader", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := v1.NewDecoder(bytes.NewReader(data)).Decode(new(T)); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkAppendSmall(b *testing.B) { benchmarkAppend(b, &sum{1, 2}) }
func BenchmarkAppendLarge(b *testing.B) { benchmarkAppend(b, manyOrders()) }
func BenchmarkDecodeSmall(b *testing.B) { benchmarkDecode(b, &sum{1, 2}) }
func BenchmarkDecodeLarge(b *testing.B) { benchmarkDecode(b, manyOrders()) }

// anything returns v as json reads it into an any.
func anything(b *testing.B, v any) *any {
	b.Helper()
	data, err := json.New().Append(nil, v)
	if err != nil {
		b.Fatal(err)
	}
	var decoded any
	if err := json.New().Decode(data, &decoded); err != nil {
		b.Fatal(err)
	}
	return &decoded
}

// BenchmarkDecodeMany reads a document that is long enough for its elements to be counted: 1 MiB, of texts or of numbers.
func BenchmarkDecodeMany(b *testing.B) {
	texts, numbers := make([]string, 1<<20/64), make([]int, 1<<20/8)
	for i := range texts {
		texts[i] = strings.Repeat("x", 60)
	}
	for i := range numbers {
		numbers[i] = 1_000_000 + i
	}
	b.Run("texts", func(b *testing.B) { benchmarkDecode(b, &texts) })
	b.Run("numbers", func(b *testing.B) { benchmarkDecode(b, &numbers) })
}

// BenchmarkAppendAny looks for Protocol Buffers messages, of which types without interfaces are known to have none.
func BenchmarkAppendAny(b *testing.B) { benchmarkAppend(b, anything(b, manyOrders())) }

func BenchmarkAppendAnySmall(b *testing.B) { benchmarkAppend(b, &struct{ A, B any }{1, sum{1, 2}}) }

// BenchmarkDecodeAny pays for the check of the depth, which types of known depth do not.
func BenchmarkDecodeAny(b *testing.B) {
	benchmarkDecode(b, anything(b, manyOrders()))
}
