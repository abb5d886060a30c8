package msgpack_test

import (
	"fmt"

	"github.com/ashlar-go/ashlar/codec/msgpack"
)

func Example() {
	type Item struct {
		Name  string `json:"name"` // no further tag is needed
		Price int    `json:"price"`
	}
	c := msgpack.New(msgpack.MaxDepth(16))
	data, err := c.Append(nil, Item{Name: "stone", Price: 3})
	fmt.Printf("%q %v\n", data, err)

	var item Item
	fmt.Println(c.Decode(data, &item), item)
	fmt.Println(c.Decode([]byte("\x81\xa5price\xa5cheap"), &item))
	// Output:
	// "\x82\xa4name\xa5stone\xa5price\x03" <nil>
	// <nil> {stone 3}
	// price: want an integer, have a string
}
