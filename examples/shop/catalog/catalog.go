// Package catalog knows the products of the shop, and how many of each there are.
package catalog

import (
	"cmp"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/ashlar-go/ashlar/status"
)

// Product is something that can be bought.
type Product struct {
	SKU      string `json:"sku"`
	Name     string `json:"name"`
	Category string `json:"category"`
	Cents    int    `json:"cents"`
	Stock    int    `json:"stock"`
}

// Find asks for products, ordered by SKU.
type Find struct {
	Text     string `json:"-" query:"text,omitempty"`     // part of the name
	Category string `json:"-" query:"category,omitempty"` // all of it
	After    string `json:"-" query:"after,omitempty"`    // the SKU at which the page before ended
	Limit    int    `default:"20"                            json:"-" query:"limit,omitempty"`
}

// Validate implements the method that endpoint.Validate looks for.
func (f *Find) Validate() error {
	if f.Limit < 1 || f.Limit > 100 {
		return status.Violation{Field: "limit", Description: fmt.Sprintf("want 1 to 100, have %d", f.Limit)}
	}
	return nil
}

// Page is a part of the products found.
type Page struct {
	Products []Product `json:"products"`
	Next     string    `json:"next,omitempty"` // for Find.After; empty on the last page
}

// Get asks for one product.
type Get struct {
	SKU string `json:"-" path:"sku"`
}

// Line is a number of one product.
type Line struct {
	SKU   string `json:"sku"`
	Count int    `json:"count"`
}

// Reserve takes products out of the stock: all of the lines, or none. Asking again with the same key takes nothing more.
type Reserve struct {
	Key   string `json:"key"`
	Lines []Line `json:"lines"`
}

// Validate implements the method that endpoint.Validate looks for.
func (r *Reserve) Validate() error { return errors.Join(validateKey(r.Key), ValidateLines(r.Lines)) }

func validateKey(key string) error {
	if key == "" || len(key) > maxKey {
		return status.Violation{Field: "key", Description: fmt.Sprintf("want 1 to %d bytes, have %d", maxKey, len(key))}
	}
	return nil
}

const maxKey = 100

// ValidateLines reports everything that is wrong with lines.
func ValidateLines(lines []Line) error {
	if len(lines) == 0 {
		return status.Violation{Field: "lines", Description: "want at least one"}
	}
	var wrong []error
	for i, line := range lines {
		if line.SKU == "" {
			wrong = append(wrong, status.Violation{Field: fmt.Sprintf("lines[%d].sku", i), Description: "is missing"})
		}
		if line.Count < 1 || line.Count > maxCount {
			wrong = append(wrong, status.Violation{
				Field:       fmt.Sprintf("lines[%d].count", i),
				Description: fmt.Sprintf("want 1 to %d, have %d", maxCount, line.Count),
			})
		}
	}
	return errors.Join(wrong...)
}

// maxCount is how many of one product an order may have: more is a matter for the sales department.
const maxCount = 1000

// Reservation is what was taken, with the prices at that time.
type Reservation struct {
	Lines []PricedLine `json:"lines"`
	Cents int          `json:"cents"` // the total
}

// Release puts back what was reserved with the key. Asking again puts back nothing more.
type Release struct {
	Key string `json:"key"`
}

// Validate implements the method that endpoint.Validate looks for.
func (r *Release) Validate() error { return validateKey(r.Key) }

// Released is the answer to Release.
type Released struct{}

// PricedLine is a line with the price of one piece.
type PricedLine struct {
	Line

	Name  string `json:"name"`
	Cents int    `json:"cents"`
}

// Service is the catalog. It is plain Go, and safe for concurrent use.
type Service struct {
	mu       sync.Mutex
	products []*Product // by SKU
	bySKU    map[string]*Product
	reserved map[string]*kept // by key
	keys     []string         // of reserved, the oldest first
}

// kept is a reservation for those who ask for it again.
type kept struct {
	Reservation

	released bool
}

const maxKept = 10_000 // nobody asks for a reservation again that is older than so many others

//go:embed products.json
var seed []byte

// New returns a catalog of the products that come with the shop.
func New() (*Service, error) {
	s := &Service{bySKU: make(map[string]*Product), reserved: make(map[string]*kept)}
	if err := json.Unmarshal(seed, &s.products); err != nil {
		return nil, fmt.Errorf("catalog: products.json: %w", err)
	}
	slices.SortFunc(s.products, func(a, b *Product) int { return cmp.Compare(a.SKU, b.SKU) })
	for _, p := range s.products {
		if s.bySKU[p.SKU] != nil {
			return nil, fmt.Errorf("catalog: products.json: %s is there twice", p.SKU)
		}
		s.bySKU[p.SKU] = p
	}
	return s, nil
}

// Find returns a page of products.
func (s *Service) Find(_ context.Context, find *Find) (*Page, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	page := &Page{Products: []Product{}}
	text := strings.ToLower(find.Text)
	for _, p := range s.products {
		switch {
		case p.SKU <= find.After:
		case find.Category != "" && !strings.EqualFold(find.Category, p.Category):
		case !strings.Contains(strings.ToLower(p.Name), text):
		case len(page.Products) == find.Limit:
			page.Next = page.Products[find.Limit-1].SKU
			return page, nil
		default:
			page.Products = append(page.Products, *p)
		}
	}
	return page, nil
}

// Get returns one product.
func (s *Service) Get(_ context.Context, get *Get) (*Product, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.bySKU[get.SKU]
	if p == nil {
		return nil, noProduct(get.SKU)
	}
	found := *p
	return &found, nil
}

// Reserve takes the lines out of the stock.
func (s *Service) Reserve(_ context.Context, reserve *Reserve) (*Reservation, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if known := s.reserved[reserve.Key]; known != nil {
		return &known.Reservation, nil
	}
	want := make(map[string]int)
	for _, line := range reserve.Lines {
		p := s.bySKU[line.SKU]
		if p == nil {
			return nil, noProduct(line.SKU)
		}
		if want[line.SKU] += line.Count; want[line.SKU] > p.Stock {
			return nil, status.Errorf(status.FailedPrecondition, "only %d of %s are left", p.Stock, p.SKU).WithReason("OUT_OF_STOCK")
		}
	}
	r := new(kept)
	for _, line := range reserve.Lines {
		p := s.bySKU[line.SKU]
		p.Stock -= line.Count
		r.Lines = append(r.Lines, PricedLine{Line: line, Name: p.Name, Cents: p.Cents})
		r.Cents += p.Cents * line.Count
	}
	s.keep(reserve.Key, r)
	return &r.Reservation, nil
}

func (s *Service) keep(key string, r *kept) {
	if len(s.keys) == maxKept {
		delete(s.reserved, s.keys[0])
		s.keys = s.keys[1:]
	}
	s.reserved[key], s.keys = r, append(s.keys, key)
}

// Release puts what was reserved back into the stock.
func (s *Service) Release(_ context.Context, release *Release) (*Released, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.reserved[release.Key]
	if r == nil {
		return nil, status.Errorf(status.NotFound, "nothing is reserved with the key %q", release.Key).WithReason("NO_RESERVATION")
	}
	if !r.released {
		r.released = true
		for _, line := range r.Lines {
			s.bySKU[line.SKU].Stock += line.Count
		}
	}
	return &Released{}, nil
}

func noProduct(sku string) error {
	return status.Errorf(status.NotFound, "there is no product %q", sku).WithReason("NO_PRODUCT")
}
