package json_test

import (
	"errors"
	"fmt"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/ashlar-go/ashlar/codec"
	"github.com/ashlar-go/ashlar/codec/json"
)

type document struct {
	Text    string            `json:"text"`
	Bool    bool              `json:"bool"`
	Int     int               `json:"int"`
	Int8    int8              `json:"int8"`
	Int64   int64             `json:"int64"`
	Uint8   uint8             `json:"uint8"`
	Uint64  uint64            `json:"uint64"`
	Float   float64           `json:"float"`
	Float32 float32           `json:"float32"`
	Quoted  int               `json:"quoted,string"`
	Bytes   []byte            `json:"bytes"`
	Four    [4]byte           `json:"four"`
	Pair    [2]int            `json:"pair"`
	Time    time.Time         `json:"time"`
	Address netip.Addr        `json:"address"`
	Loud    loud              `json:"loud,omitzero"`
	Items   []item            `json:"items"`
	ByName  map[string]item   `json:"byName"`
	ByID    map[int]item      `json:"byID"`
	Next    *document         `json:"next"`
	Any     any               `json:"any"`
	Names   map[string]string `json:"names"`
}

type item struct {
	Price int `json:"price"`
}

// loud complains in a text that is not for the sender.
type loud struct{}

func (*loud) UnmarshalJSON([]byte) error { return errors.New("SECRET") }

func TestDecodeErrorsSayWhatAndWhere(t *testing.T) {
	t.Parallel()
	for data, want := range map[string]string{
		`{"text":1}`:                             `text: want a string, have a number`,
		`{"text":[]}`:                            `text: want a string, have an array`,
		`{"bool":"yes"}`:                         `bool: want true or false, have a string`,
		`{"int":"1"}`:                            `int: want an integer, have a string`,
		`{"int":1.5}`:                            `int: want an integer`,
		`{"int":true}`:                           `int: want an integer, have true or false`,
		`{"int8":128}`:                           `int8: out of range: want an integer from -128 to 127`,
		`{"int64":1e30}`:                         `int64: want an integer`,
		`{"int64":9223372036854775808}`:          `int64: out of range: want an integer from -9223372036854775808 to 9223372036854775807`,
		`{"uint8":-1}`:                           `uint8: want an integer`,
		`{"uint8":256}`:                          `uint8: out of range: want an integer from 0 to 255`,
		`{"uint64":18446744073709551616}`:        `uint64: out of range: want an integer from 0 to 18446744073709551615`,
		`{"float":"x"}`:                          `float: want a number, have a string`,
		`{"float":1e999}`:                        `float: out of range: want a number of 64 bits`,
		`{"float32":1e99}`:                       `float32: out of range: want a number of 32 bits`,
		`{"quoted":1}`:                           `quoted: want the number as a string`,
		`{"bytes":"*"}`:                          `bytes: want bytes in base64`,
		`{"bytes":1}`:                            `bytes: want bytes in base64, have a number`,
		`{"four":"AQI="}`:                        `four: want 4 bytes in base64`,
		`{"pair":[1]}`:                           `pair: want an array of 2`,
		`{"pair":[1,2,3]}`:                       `pair: want an array of 2`,
		`{"time":"today"}`:                       `time: want a time such as 2006-01-02T15:04:05Z`,
		`{"time":1}`:                             `time: want a time as a string, have a number`,
		`{"address":"nowhere"}`:                  `address: the value is not valid`,
		`{"address":1}`:                          `address: want a string, have a number`,
		`{"loud":1}`:                             `loud: the value is not valid`,
		`{"items":{}}`:                           `items: want an array, have an object`,
		`{"items":[{},{},{},{"price":"cheap"}]}`: `items[3].price: want an integer, have a string`,
		`{"items":[7]}`:                          `items[0]: want an object, have a number`,
		`{"byName":{"3":{"price":"cheap"}}}`:     `byName.3.price: want an integer, have a string`,
		`{"byName":{"a.b":{"price":"cheap"}}}`:   `byName["a.b"].price: want an integer, have a string`,
		`{"byName":{"":{"price":"cheap"}}}`:      `byName[""].price: want an integer, have a string`,
		`{"byName":{"a/b~c":{"price":"cheap"}}}`: `byName.a/b~c.price: want an integer, have a string`,
		`{"byID":{"12":{"price":"cheap"}}}`:      `byID.12.price: want an integer, have a string`,
		`{"byID":{"x":{}}}`:                      `byID.x: want an integer`,
		`{"next":{"next":{"int":"1"}}}`:          `next.next.int: want an integer, have a string`,
		`{"text":"a","text":"b"}`:                `text: the member appears twice`,
		`{"any":[0,{"a":1,"a":2}]}`:              `any[1].a: the member appears twice`,
		`[]`:                                     `want an object, have an array`,
		`"x"`:                                    `want an object, have a string`,
		``:                                       `the document is empty`,
		`{"int":1`:                               `the document ends too early`,
		`{"items":[{"price":1`:                   `items[0]: the document ends too early`,
		`{"int":1}}`:                             `invalid JSON at byte 9: invalid character '}' after top-level value`,
		`{"int":}`:                               `int: invalid JSON at byte 7: invalid character '}' at start of value`,
		`{"unknown":[1,2`:                        `unknown: the document ends too early`,
		`{"` + strings.Repeat("n", 100) + `":[}`: `["` + strings.Repeat("n", 64) + `..."][0]: invalid JSON at byte 105: invalid character '}' at start of value`,
	} {
		t.Run(data, func(t *testing.T) {
			t.Parallel()
			err := json.New().Decode([]byte(data), new(document))
			de, ok := errors.AsType[*codec.DecodeError](err)
			if !ok {
				t.Fatalf("want a *codec.DecodeError, have %T: %v", err, err)
			}
			if have := de.Error(); have != want {
				t.Errorf("\nwant %s\nhave %s", want, have)
			}
		})
	}
}

func TestALongPathIsCut(t *testing.T) {
	t.Parallel()
	const levels, shown = 100, 64
	err := json.New().Decode([]byte(strings.Repeat(`{"a":`, levels)+"x"), new(any))
	de, ok := errors.AsType[*codec.DecodeError](err)
	if want := strings.TrimSuffix(strings.Repeat("a.", shown), "."); !ok || de.Path != want {
		t.Errorf("want %d steps, have %v", shown, err)
	}
}

// polite complains in a text that is for the sender.
type polite struct{}

func (*polite) UnmarshalJSON([]byte) error {
	return fmt.Errorf("SECRET: %w", &codec.DecodeError{Path: "colour", Problem: "too bright"})
}

func TestAMethodsOwnDecodeErrorIsShown(t *testing.T) {
	t.Parallel()
	err := json.New().Decode([]byte(`{"items":[{},{"a":1}]}`), &struct {
		Items []map[string]polite `json:"items"`
	}{})
	de, ok := errors.AsType[*codec.DecodeError](err)
	if want := "items[1].a.colour: too bright"; !ok || de.Error() != want {
		t.Errorf("want %s, have %v", want, err)
	}
}

func TestDecodeErrorKeepsItsCauseForTheLog(t *testing.T) {
	t.Parallel()
	err := json.New().Decode([]byte(`{"loud":1}`), new(document))
	de, ok := errors.AsType[*codec.DecodeError](err)
	if !ok || de.Err == nil || !strings.Contains(de.Err.Error(), "SECRET") || strings.Contains(de.Error(), "SECRET") {
		t.Errorf("want the cause in Err alone, have %+v", err)
	}
}

func TestAMistakeInTheTypeIsNotTheSenders(t *testing.T) {
	t.Parallel()
	twice := reflect.StructOf([]reflect.StructField{
		{Name: "A", Type: reflect.TypeFor[int](), Tag: `json:"a"`},
		{Name: "B", Type: reflect.TypeFor[int](), Tag: `json:"a"`},
	})
	for name, c := range map[string]struct {
		data string
		v    any
	}{
		"not a pointer": {`{}`, document{}},
		"nil":           {`{}`, nil},
		"a nil pointer": {`{}`, (*document)(nil)},
		"a channel": {`{"a":1}`, &struct {
			A chan int `json:"a"`
		}{}},
		"an interface": {`{"a":1}`, &struct {
			A error `json:"a"`
		}{}},
		"a duration": {`{"a":1}`, &struct {
			A time.Duration `json:"a"`
		}{}},
		"a name used twice": {`{"a":1}`, reflect.New(twice).Interface()},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := json.New().Decode([]byte(c.data), c.v)
			if err == nil {
				t.Fatal("want an error, have none")
			}
			if de, ok := errors.AsType[*codec.DecodeError](err); ok {
				t.Errorf("want no *codec.DecodeError, have %v", de)
			}
		})
	}
}
