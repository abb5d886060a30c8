// Package model is the service that every contestant offers: the same types, and the same work on them.
package model

// SumRequest is the small body: two integers.
type SumRequest struct {
	A int `json:"a"`
	B int `json:"b"`
}

// SumResponse answers a SumRequest.
type SumResponse struct {
	Sum int `json:"sum"`
}

// Sum adds both numbers of the request.
func Sum(r SumRequest) SumResponse { return SumResponse{Sum: r.A + r.B} }

// Orders is the large body, as request and as response; only the response has totals.
type Orders struct {
	Orders []Order `json:"orders"`
	Total  int64   `json:"total"`
}

// Order is one of the Orders.
type Order struct {
	ID       int64    `json:"id"`
	Customer Customer `json:"customer"`
	Lines    []Line   `json:"lines"`
	Paid     bool     `json:"paid"`
}

// Customer is who ordered.
type Customer struct {
	Name string `json:"name"`
	City string `json:"city"`
}

// Line is one article of an Order.
type Line struct {
	SKU      string `json:"sku"`
	Quantity int64  `json:"quantity"`
	Price    int64  `json:"price"`
}

// Price returns the orders with their total.
func Price(o Orders) Orders {
	o.Total = 0
	for _, order := range o.Orders {
		for _, line := range order.Lines {
			o.Total += line.Quantity * line.Price
		}
	}
	return o
}
