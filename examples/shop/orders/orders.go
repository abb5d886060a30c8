// Package orders takes orders, and tells who wants to know.
package orders

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/ashlar-go/ashlar/auth"
	"github.com/ashlar-go/ashlar/examples/shop/accounts"
	"github.com/ashlar-go/ashlar/examples/shop/catalog"
	"github.com/ashlar-go/ashlar/examples/shop/payments"
	"github.com/ashlar-go/ashlar/status"
)

// Place is an order that a customer wants to make: the one who calls.
type Place struct {
	Lines []catalog.Line `json:"lines"`
}

// Validate implements the method that endpoint.Validate looks for.
func (p *Place) Validate() error { return catalog.ValidateLines(p.Lines) }

// Order is an order that was accepted.
type Order struct {
	ID       int                  `json:"id"` // 1, 2, 3 and so on
	Customer string               `json:"customer"`
	Placed   time.Time            `json:"placed"`
	Lines    []catalog.PricedLine `json:"lines"`
	Cents    int                  `json:"cents"` // the total
	Payment  string               `json:"payment"`
}

// Placed is the answer to Place.
type Placed struct{ Order }

// StatusCode makes it 201 Created in HTTP.
func (p *Placed) StatusCode() int { return http.StatusCreated }

// Header tells where the order is from now on.
func (p *Placed) Header() http.Header {
	return http.Header{"Location": {"/orders/" + strconv.Itoa(p.ID)}}
}

// EventID makes the order's ID that of its server-sent event, so that a browser goes on where it was.
func (o *Order) EventID() string { return strconv.Itoa(o.ID) }

// Get asks for one order.
type Get struct {
	ID int `json:"-" path:"id"`
}

// Feed asks for all orders, as they are placed.
type Feed struct {
	After int `header:"Last-Event-ID" json:"-"` // the ID of the last order known; 0 is the first to come
}

// Partners are the operations of others that an order takes.
type Partners struct {
	Reserve func(context.Context, *catalog.Reserve) (*catalog.Reservation, error)
	Release func(context.Context, *catalog.Release) (*catalog.Released, error)
	Charge  func(context.Context, *payments.Charge) (*payments.Payment, error)
}

// Service takes orders of the callers that auth.PrincipalOf knows. It is plain Go, and safe for concurrent use.
type Service struct {
	partners Partners

	mu     sync.Mutex
	orders []*Order
	more   chan struct{} // closed when there is another order
}

// New returns a service without any order.
func New(partners Partners) *Service { return &Service{partners: partners, more: make(chan struct{})} }

// Place accepts an order: what was ordered is taken out of the stock, and put back if it is not paid for.
func (s *Service) Place(ctx context.Context, place *Place) (*Placed, error) {
	caller := auth.PrincipalOf(ctx)
	if caller == nil {
		return nil, errNobody
	}
	key := rand.Text() // so that partners can be asked again
	reservation, err := s.partners.Reserve(ctx, &catalog.Reserve{Key: key, Lines: place.Lines})
	if err != nil {
		if status.CodeOf(err) == status.FailedPrecondition || status.CodeOf(err) == status.NotFound {
			return nil, err // nothing was reserved
		}
		return nil, s.release(ctx, key, err)
	}
	payment, err := s.partners.Charge(ctx, &payments.Charge{Key: key, Customer: caller.Subject, Cents: reservation.Cents})
	if err != nil {
		return nil, s.release(ctx, key, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	order := &Order{
		ID:       len(s.orders) + 1,
		Customer: caller.Subject,
		Placed:   time.Now().UTC(),
		Lines:    reservation.Lines,
		Cents:    reservation.Cents,
		Payment:  payment.ID,
	}
	s.orders = append(s.orders, order)
	close(s.more)
	s.more = make(chan struct{})
	return &Placed{Order: *order}, nil
}

// release puts back what was, or may have been, reserved, since err came in between, and returns that and what comes of it.
func (s *Service) release(ctx context.Context, key string, err error) error {
	// Also when the customer has gone meanwhile.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseTimeout)
	defer cancel()
	_, releaseErr := s.partners.Release(ctx, &catalog.Release{Key: key})
	if status.CodeOf(releaseErr) == status.NotFound { // it was not
		releaseErr = nil
	}
	return errors.Join(err, releaseErr) // the caller sees the first
}

// releaseTimeout is how long putting back may take.
const releaseTimeout = 2 * time.Second

var errNobody = status.New(status.Unauthenticated, "an order is somebody's")

// Get returns one order, of the caller's own or to the staff. Others are not told that there is one.
func (s *Service) Get(ctx context.Context, get *Get) (*Order, error) {
	caller := auth.PrincipalOf(ctx)
	if caller == nil {
		return nil, errNobody
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if get.ID >= 1 && get.ID <= len(s.orders) {
		if order := s.orders[get.ID-1]; order.Customer == caller.Subject || caller.HasRole(accounts.Staff) {
			return order, nil
		}
	}
	return nil, status.Errorf(status.NotFound, "there is no order %d", get.ID).WithReason("NO_ORDER")
}

// Feed sends orders until ctx ends: those after the last one known, and then each that is placed. A reader that is slow is not
// waited for by anybody; it gets them all, later.
func (s *Service) Feed(ctx context.Context, feed *Feed, send func(*Order) error) error {
	next := max(0, min(feed.After, s.last())) // a reader may have known more orders than there are since the last start
	for {
		order, more := s.after(next)
		if order == nil {
			select {
			case <-more:
				continue
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
		if err := send(order); err != nil {
			return err
		}
		next = order.ID
	}
}

// last returns the ID of the last order, 0 for none.
func (s *Service) last() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.orders)
}

// after returns the order that follows id, or else what is closed when there is one.
func (s *Service) after(id int) (*Order, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if id < len(s.orders) {
		return s.orders[id], nil
	}
	return nil, s.more
}
