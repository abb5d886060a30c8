package catalog

import (
	"context"

	"github.com/ashlar-go/ashlar/examples/shop/shoppb"
)

// What follows turns the types of the service into its messages on the wire and back. The service itself knows nothing of them.

func findToProto(_ context.Context, f *Find) (*shoppb.FindRequest, error) {
	return &shoppb.FindRequest{Text: f.Text, Category: f.Category, After: f.After, Limit: int32(f.Limit)}, nil
}

func findFromProto(_ context.Context, m *shoppb.FindRequest) (*Find, error) {
	return &Find{Text: m.GetText(), Category: m.GetCategory(), After: m.GetAfter(), Limit: int(m.GetLimit())}, nil
}

func pageToProto(_ context.Context, page *Page) (*shoppb.FindResponse, error) {
	m := &shoppb.FindResponse{Products: make([]*shoppb.Product, len(page.Products)), Next: page.Next}
	for i := range page.Products {
		m.Products[i] = productMessage(&page.Products[i])
	}
	return m, nil
}

func pageFromProto(_ context.Context, m *shoppb.FindResponse) (*Page, error) {
	page := &Page{Products: make([]Product, len(m.GetProducts())), Next: m.GetNext()}
	for i, p := range m.GetProducts() {
		page.Products[i] = *productOf(p)
	}
	return page, nil
}

func getToProto(_ context.Context, get *Get) (*shoppb.GetRequest, error) {
	return &shoppb.GetRequest{Sku: get.SKU}, nil
}

func getFromProto(_ context.Context, m *shoppb.GetRequest) (*Get, error) {
	return &Get{SKU: m.GetSku()}, nil
}

func productToProto(_ context.Context, p *Product) (*shoppb.Product, error) {
	return productMessage(p), nil
}

func productFromProto(_ context.Context, m *shoppb.Product) (*Product, error) {
	return productOf(m), nil
}

func productMessage(p *Product) *shoppb.Product {
	return &shoppb.Product{Sku: p.SKU, Name: p.Name, Category: p.Category, Cents: int64(p.Cents), Stock: int64(p.Stock)}
}

func productOf(m *shoppb.Product) *Product {
	return &Product{SKU: m.GetSku(), Name: m.GetName(), Category: m.GetCategory(), Cents: int(m.GetCents()), Stock: int(m.GetStock())}
}

func reserveToProto(_ context.Context, r *Reserve) (*shoppb.ReserveRequest, error) {
	return &shoppb.ReserveRequest{Key: r.Key, Lines: LinesToProto(r.Lines)}, nil
}

func reserveFromProto(_ context.Context, m *shoppb.ReserveRequest) (*Reserve, error) {
	return &Reserve{Key: m.GetKey(), Lines: LinesFromProto(m.GetLines())}, nil
}

func reservationToProto(_ context.Context, r *Reservation) (*shoppb.Reservation, error) {
	return &shoppb.Reservation{Lines: PricedToProto(r.Lines), Cents: int64(r.Cents)}, nil
}

func reservationFromProto(_ context.Context, m *shoppb.Reservation) (*Reservation, error) {
	return &Reservation{Lines: PricedFromProto(m.GetLines()), Cents: int(m.GetCents())}, nil
}

func releaseToProto(_ context.Context, r *Release) (*shoppb.ReleaseRequest, error) {
	return &shoppb.ReleaseRequest{Key: r.Key}, nil
}

func releaseFromProto(_ context.Context, m *shoppb.ReleaseRequest) (*Release, error) {
	return &Release{Key: m.GetKey()}, nil
}

func releasedToProto(context.Context, *Released) (*shoppb.ReleaseResponse, error) {
	return &shoppb.ReleaseResponse{}, nil
}

func releasedFromProto(context.Context, *shoppb.ReleaseResponse) (*Released, error) {
	return &Released{}, nil
}

// LinesToProto returns the messages for lines.
func LinesToProto(lines []Line) []*shoppb.Line {
	messages := make([]*shoppb.Line, len(lines))
	for i, line := range lines {
		messages[i] = &shoppb.Line{Sku: line.SKU, Count: int64(line.Count)}
	}
	return messages
}

// LinesFromProto returns the lines that messages are.
func LinesFromProto(messages []*shoppb.Line) []Line {
	lines := make([]Line, len(messages))
	for i, m := range messages {
		lines[i] = Line{SKU: m.GetSku(), Count: int(m.GetCount())}
	}
	return lines
}

// PricedToProto returns the messages for lines.
func PricedToProto(lines []PricedLine) []*shoppb.PricedLine {
	messages := make([]*shoppb.PricedLine, len(lines))
	for i, line := range lines {
		messages[i] = &shoppb.PricedLine{Sku: line.SKU, Count: int64(line.Count), Name: line.Name, Cents: int64(line.Cents)}
	}
	return messages
}

// PricedFromProto returns the lines that messages are.
func PricedFromProto(messages []*shoppb.PricedLine) []PricedLine {
	lines := make([]PricedLine, len(messages))
	for i, m := range messages {
		lines[i] = PricedLine{Line: Line{SKU: m.GetSku(), Count: int(m.GetCount())}, Name: m.GetName(), Cents: int(m.GetCents())}
	}
	return lines
}
