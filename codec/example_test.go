package codec_test

import (
	"fmt"

	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/ashlar-go/ashlar/codec"
	"github.com/ashlar-go/ashlar/codec/json"
	"github.com/ashlar-go/ashlar/codec/proto"
)

func ExampleSet() {
	set, err := codec.NewSet(proto.JSON(), proto.New()) // JSON is the default
	if err != nil {
		fmt.Println(err)
		return
	}

	in, err := set.ForType("application/json; charset=utf-8")
	if err != nil {
		fmt.Println(err) // 415
		return
	}
	var wait durationpb.Duration
	if err := in.Decode([]byte(`"90s"`), &wait); err != nil {
		fmt.Println(err) // 400
		return
	}

	out, contentType, err := set.Accept("application/xml, application/protobuf;q=0.9, */*;q=0.1")
	if err != nil {
		fmt.Println(err) // 406
		return
	}
	data, err := out.Append(nil, &wait)
	if err != nil {
		fmt.Println(err) // 500
		return
	}
	fmt.Printf("%s: % x\n", contentType, data)

	_, err = set.ForType("text/html")
	fmt.Println(err)
	// Output:
	// application/protobuf: 08 5a
	// content type "text/html" is not supported; supported: application/json, application/protobuf, application/x-protobuf, application/vnd.google.protobuf, application/proto
}

func ExampleDecodeError() {
	var order struct {
		Items []struct {
			Price int `json:"price"`
		} `json:"items"`
	}
	err := json.New().Decode([]byte(`{"items":[{"price":5},{"price":"cheap"}]}`), &order)
	fmt.Println(err)
	// Output: items[1].price: want an integer, have a string
}
