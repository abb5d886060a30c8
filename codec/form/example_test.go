package form_test

import (
	"fmt"

	"github.com/ashlar-go/ashlar/codec/form"
)

func Example() {
	type Address struct {
		City string `json:"city"` // no further tag is needed
	}
	type Signup struct {
		Name    string   `form:"name"`
		Age     int      `form:"age"`
		Tags    []string `form:"tag"`
		Address Address  `form:"address"`
	}
	c := form.New(form.MaxPairs(100))
	data, err := c.Append(nil, Signup{Name: "Ada L.", Age: 36, Tags: []string{"a", "b"}, Address: Address{City: "London"}})
	fmt.Printf("%s %v\n", data, err)

	var s Signup
	fmt.Println(c.Decode(data, &s), s)
	fmt.Println(c.Decode([]byte("age=old&name=a&name=b"), &s))
	// Output:
	// name=Ada+L.&age=36&tag=a&tag=b&address.city=London <nil>
	// <nil> {Ada L. 36 [a b] {London}}
	// age: want an integer, have "old"; name: want one value, have 2
}
