package xml_test

import (
	"fmt"

	"github.com/ashlar-go/ashlar/codec/xml"
)

func Example() {
	type Item struct {
		Name  string `xml:"name,attr"`
		Price int    `xml:"price"`
	}
	c := xml.New(xml.MaxDepth(16))
	data, err := c.Append(nil, Item{Name: "stone", Price: 3})
	fmt.Printf("%s %v\n", data, err)

	var item Item
	fmt.Println(c.Decode(data, &item), item)
	fmt.Println(c.Decode([]byte("<Item><price>cheap</price></Item>"), &item))
	// Output:
	// <Item name="stone"><price>3</price></Item> <nil>
	// <nil> {stone 3}
	// price: want an integer, have "cheap"
}
