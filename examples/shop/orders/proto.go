package orders

import (
	"context"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/ashlar-go/ashlar/examples/shop/catalog"
	"github.com/ashlar-go/ashlar/examples/shop/shoppb"
)

// What follows turns the types of the service into its messages on the wire and back. The service itself knows nothing of them.

func placeToProto(_ context.Context, p *Place) (*shoppb.PlaceRequest, error) {
	return &shoppb.PlaceRequest{Lines: catalog.LinesToProto(p.Lines)}, nil
}

func placeFromProto(_ context.Context, m *shoppb.PlaceRequest) (*Place, error) {
	return &Place{Lines: catalog.LinesFromProto(m.GetLines())}, nil
}

func placedToProto(_ context.Context, p *Placed) (*shoppb.Order, error) {
	return message(&p.Order), nil
}

func placedFromProto(_ context.Context, m *shoppb.Order) (*Placed, error) {
	return &Placed{Order: *orderOf(m)}, nil
}

func getToProto(_ context.Context, get *Get) (*shoppb.GetOrderRequest, error) {
	return &shoppb.GetOrderRequest{Id: int64(get.ID)}, nil
}

func getFromProto(_ context.Context, m *shoppb.GetOrderRequest) (*Get, error) {
	return &Get{ID: int(m.GetId())}, nil
}

func feedToProto(_ context.Context, feed *Feed) (*shoppb.FeedRequest, error) {
	return &shoppb.FeedRequest{After: int64(feed.After)}, nil
}

func feedFromProto(_ context.Context, m *shoppb.FeedRequest) (*Feed, error) {
	return &Feed{After: int(m.GetAfter())}, nil
}

func orderToProto(_ context.Context, order *Order) (*shoppb.Order, error) { return message(order), nil }

func orderFromProto(_ context.Context, m *shoppb.Order) (*Order, error) { return orderOf(m), nil }

func message(order *Order) *shoppb.Order {
	return &shoppb.Order{
		Id:       int64(order.ID),
		Customer: order.Customer,
		Placed:   timestamppb.New(order.Placed),
		Lines:    catalog.PricedToProto(order.Lines),
		Cents:    int64(order.Cents),
		Payment:  order.Payment,
	}
}

func orderOf(m *shoppb.Order) *Order {
	return &Order{
		ID:       int(m.GetId()),
		Customer: m.GetCustomer(),
		Placed:   m.GetPlaced().AsTime(),
		Lines:    catalog.PricedFromProto(m.GetLines()),
		Cents:    int(m.GetCents()),
		Payment:  m.GetPayment(),
	}
}
