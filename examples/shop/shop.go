package main

import (
	"errors"
	"slices"
	"time"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/examples/shop/catalog"
	"github.com/ashlar-go/ashlar/examples/shop/orders"
	"github.com/ashlar-go/ashlar/examples/shop/payments"
	"github.com/ashlar-go/ashlar/examples/shop/storefront"
	"github.com/ashlar-go/ashlar/log"
	"github.com/ashlar-go/ashlar/status"
	grpctransport "github.com/ashlar-go/ashlar/transport/grpc"
	httptransport "github.com/ashlar-go/ashlar/transport/http"
	natstransport "github.com/ashlar-go/ashlar/transport/nats"
)

const (
	callTimeout  = 2 * time.Second // of each unary call, on both sides
	slowCall     = 250 * time.Millisecond
	streamGrace  = time.Second // for the order feeds to end by themselves
	closingLimit = 10 * time.Second
)

// shop is its services, running.
type shop struct {
	url     string // of the storefront
	orders  string // the address of the orders' gRPC server
	broker  string // the URL of the NATS server
	catalog *fleet
	failed  failures
	closers []func() error
}

// failures has the first error of a server that stopped by itself, which closes the shop.
type failures chan error

func (f failures) add(err error) {
	select {
	case f <- err:
	default:
	}
}

// open composes the shop: the catalog over gRPC, the payments over NATS, the orders, which need both, over HTTP, gRPC and NATS,
// and the storefront in front.
func open(opts options, logger log.Logger) (_ *shop, err error) {
	s := &shop{failed: make(failures, 1)}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	broker, stop, err := startBroker()
	if err != nil {
		return nil, err
	}
	s.broker = broker
	s.closers = append(s.closers, stop)

	// The one chain of middleware, for endpoints of every type, unary and streaming, on every transport, and the request log around
	// decoding. Successes are for -log debug.
	onServer := endpoint.Chain(endpoint.Recover(), endpoint.Timeout(callTimeout), endpoint.Validate())
	requestLog := log.Middleware(logger, log.CodeLevel(log.LevelDebug, status.OK), log.Slow(slowCall))
	logHTTP := httptransport.ServerMiddleware(requestLog)
	logGRPC := grpctransport.ServerMiddleware(requestLog)
	logNATS := natstransport.ServerMiddleware(requestLog)
	onClient, err := guardClients(logger)
	if err != nil {
		return nil, err
	}
	shedder, err := shed(logger)
	if err != nil {
		return nil, err
	}
	limits, err := limitCustomers()
	if err != nil {
		return nil, err
	}

	catalogService, err := catalog.New()
	if err != nil {
		return nil, err
	}
	pool, err := s.openCatalog(catalog.Servers(catalogService, onServer, logGRPC), opts, logger)
	if err != nil {
		return nil, err
	}
	products, err := catalog.NewClient(pool, onClient)
	if err != nil {
		return nil, err
	}

	if err := s.serveNATS("payments", payments.Server(payments.New(), onServer, logNATS)); err != nil {
		return nil, err
	}
	overNATS, err := s.dialNATS("shop")
	if err != nil {
		return nil, err
	}
	till, err := payments.NewClient(overNATS, onClient)
	if err != nil {
		return nil, err
	}

	ordersService := orders.New(orders.Partners{Reserve: products.Reserve, Release: products.Release, Charge: till.Charge})
	overGRPC, err := s.serveGRPC("orders", orders.Servers(ordersService, onServer, logGRPC), logger)
	if err != nil {
		return nil, err
	}
	s.orders = overGRPC.Target()
	if err := s.serveNATS("orders", orders.FeedServer(ordersService, onServer, logNATS)); err != nil {
		return nil, err
	}
	overHTTP, err := s.serveHTTP("orders", "127.0.0.1:0", orders.Handler(ordersService, onServer, logHTTP), logger)
	if err != nil {
		return nil, err
	}
	sales, err := orders.NewHTTPClient(overHTTP, onClient)
	if err != nil {
		return nil, err
	}

	front, err := s.serveHTTP("storefront", opts.addr, storefront.Handler(products, sales, onServer,
		httptransport.ServerMiddleware(shedder), logHTTP, httptransport.ServerMiddleware(limits)), logger)
	if err != nil {
		return nil, err
	}
	s.url = front.BaseURL()
	return s, nil
}

// close ends what runs, the last first: customers are served to the end.
func (s *shop) close() error {
	var errs []error
	for _, end := range slices.Backward(s.closers) {
		errs = append(errs, end())
	}
	s.closers = nil
	return errors.Join(errs...)
}
