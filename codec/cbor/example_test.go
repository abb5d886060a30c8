package cbor_test

import (
	"fmt"

	"github.com/ashlar-go/ashlar/codec/cbor"
)

func Example() {
	type Item struct {
		Name  string `json:"name"` // no further tag is needed
		Price int    `json:"price"`
	}
	c := cbor.New(cbor.MaxDepth(16))
	data, err := c.Append(nil, Item{Name: "stone", Price: 3})
	fmt.Printf("%q %v\n", data, err)

	var item Item
	fmt.Println(c.Decode(data, &item), item)
	fmt.Println(c.Decode([]byte("\xa1\x65price\xf5"), &item))
	// Output:
	// "\xa2dnameestoneeprice\x03" <nil>
	// <nil> {stone 3}
	// price: want an integer from -9223372036854775808 to 9223372036854775807, have true or false
}
