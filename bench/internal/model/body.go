package model

import (
	"encoding/json"
	"fmt"
	"reflect"
)

// orderCount makes the large body one of about 64 KiB.
const orderCount = 500

// Body is one kind of call, with what every contestant must answer to it.
type Body struct {
	Name    string // "small" or "large"
	Path    string // what it is posted to
	Request []byte // the body to post
	want    any
}

// Bodies returns the small body and the large one.
func Bodies() []Body { return []Body{Small(), Large()} }

// Small returns the call with two integers.
func Small() Body {
	request := SumRequest{A: 1, B: 2}
	return body("small", "/sum", request, Sum(request))
}

// Large returns the call with 500 nested orders.
func Large() Body {
	return body("large", "/orders", NewOrders(), Price(NewOrders()))
}

func body[Req, Resp any](name, path string, request Req, response Resp) Body {
	encoded, err := json.Marshal(request)
	if err != nil {
		panic(err)
	}
	return Body{Name: name, Path: path, Request: encoded, want: response}
}

// Check returns an error unless reply is JSON for the right answer to the body, with nothing more in it and nothing less.
func (b Body) Check(reply []byte) error {
	have := reflect.New(reflect.TypeOf(b.want))
	if err := json.Unmarshal(reply, have.Interface()); err != nil {
		return fmt.Errorf("the reply to the %s body: %w", b.Name, err)
	}
	if !reflect.DeepEqual(b.want, have.Elem().Interface()) {
		return fmt.Errorf("the reply to the %s body is wrong: want %v, have %s", b.Name, b.want, reply)
	}
	return nil
}

// NewOrders returns the orders of the large body, without a total.
func NewOrders() Orders {
	names := []string{"Ada Lovelace", "Grace Hopper", "Zoë Müller", "Alan \"Al\" Turing", "Barbara Liskov"}
	cities := []string{"London", "Arlington", "Köln", "Manchester", "Los Angeles"}
	orders := make([]Order, orderCount)
	for i := range orders {
		orders[i] = Order{
			ID:       int64(100_000 + i),
			Customer: Customer{Name: names[i%len(names)], City: cities[i/2%len(cities)]},
			Lines:    []Line{{SKU: fmt.Sprintf("AB-%04d", i*7), Quantity: int64(1 + i%9), Price: int64(995 + 10*i)}},
			Paid:     i%3 == 0,
		}
	}
	return Orders{Orders: orders}
}
