// Package payments takes the customers' money.
package payments

import (
	"context"
	"fmt"
	"sync"

	"github.com/ashlar-go/ashlar/status"
)

// limit is how much one payment may be, in cents: more is a matter for a bank.
const limit = 10_000_00

// Charge asks a customer for money. Charging twice with the same key charges once.
type Charge struct {
	Key      string `json:"key"`
	Customer string `json:"customer"`
	Cents    int    `json:"cents"`
}

// Validate implements the method that endpoint.Validate looks for.
func (c *Charge) Validate() error {
	switch {
	case c.Key == "":
		return status.Violation{Field: "key", Description: "is missing"}
	case c.Cents < 1:
		return status.Violation{Field: "cents", Description: fmt.Sprintf("want more than 0, have %d", c.Cents)}
	}
	return nil
}

// Payment is money that was taken.
type Payment struct {
	ID    string `json:"id"`
	Cents int    `json:"cents"`
}

// Service takes money. It is plain Go, and safe for concurrent use.
type Service struct {
	mu    sync.Mutex
	byKey map[string]*Payment
}

// New returns a service that has taken nothing yet.
func New() *Service { return &Service{byKey: make(map[string]*Payment)} }

// Charge takes the money, or says that the customer does not have it.
func (s *Service) Charge(_ context.Context, charge *Charge) (*Payment, error) {
	if charge.Cents > limit {
		return nil, status.Errorf(status.FailedPrecondition, "%d.%02d are more than a payment can be", charge.Cents/100, charge.Cents%100).
			WithReason("PAYMENT_DECLINED")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if paid := s.byKey[charge.Key]; paid != nil {
		return paid, nil
	}
	paid := &Payment{ID: fmt.Sprintf("P-%d", len(s.byKey)+1), Cents: charge.Cents}
	s.byKey[charge.Key] = paid
	return paid, nil
}
