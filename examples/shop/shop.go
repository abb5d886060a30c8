package main

import (
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/ashlar-go/ashlar/examples/shop/accounts"
	"github.com/ashlar-go/ashlar/examples/shop/catalog"
	"github.com/ashlar-go/ashlar/examples/shop/orders"
	"github.com/ashlar-go/ashlar/examples/shop/payments"
	"github.com/ashlar-go/ashlar/examples/shop/storefront"
	"github.com/ashlar-go/ashlar/log"
	"github.com/ashlar-go/ashlar/sd"
)

const (
	callTimeout  = 2 * time.Second // of each unary call, on both sides
	streamGrace  = time.Second     // for the order feeds to end by themselves
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

	certificates *certificates // nil without -tls
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
// and the storefront in front, where customers log in.
func open(opts options, logger log.Logger) (_ *shop, err error) {
	s := &shop{failed: make(failures, 1)}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	if opts.tls {
		if s.certificates, err = newCertificates(); err != nil {
			return nil, err
		}
		s.closers = append(s.closers, s.certificates.close)
	}
	people, err := accounts.New()
	if err != nil {
		return nil, err
	}
	on, err := newChains(people, logger)
	if err != nil {
		return nil, err
	}
	if err := s.openBroker(); err != nil {
		return nil, err
	}
	catalogService, err := catalog.New()
	if err != nil {
		return nil, err
	}
	instances, err := s.openCatalog(catalog.Servers(catalogService, on.server, on.grpc), opts, logger)
	if err != nil {
		return nil, err
	}
	if err := s.serveNATS(paymentsID, payments.Server(payments.New(), on.server, on.nats)); err != nil {
		return nil, err
	}
	sales, err := s.openOrders(instances, on, logger)
	if err != nil {
		return nil, err
	}
	return s, s.openStorefront(opts.addr, people, instances, sales, on, logger)
}

// openBroker starts the broker.
func (s *shop) openBroker() error {
	config, err := s.certificates.server(brokerID, catalogID, ordersID, paymentsID, operatorID)
	if err != nil {
		return err
	}
	broker, stop, err := startBroker(config)
	if err != nil {
		return err
	}
	s.broker = broker
	s.closers = append(s.closers, stop)
	return nil
}

// openOrders starts the orders on all three transports, and returns how the storefront calls them.
func (s *shop) openOrders(instances sd.Instancer, on *chains, logger log.Logger) (*orders.Client, error) {
	products, err := s.dialCatalog(ordersID, instances, on.client, logger)
	if err != nil {
		return nil, err
	}
	overNATS, err := s.dialNATS(ordersID)
	if err != nil {
		return nil, err
	}
	till, err := payments.NewClient(overNATS, on.client)
	if err != nil {
		return nil, err
	}
	service := orders.New(orders.Partners{Reserve: products.Reserve, Release: products.Release, Charge: till.Charge})
	config, err := s.certificates.server(ordersID, storefrontID, operatorID)
	if err != nil {
		return nil, err
	}
	if s.orders, err = s.serveGRPC(ordersID, orders.Servers(service, on.server, on.grpc), config, logger); err != nil {
		return nil, err
	}
	if err := s.serveNATS(ordersID, orders.FeedServer(service, on.server, on.nats)); err != nil {
		return nil, err
	}
	url, err := s.serveHTTP(ordersID, "127.0.0.1:0", orders.Handler(service, on.server, on.http), config, logger)
	if err != nil {
		return nil, err
	}
	own, err := s.certificates.client(storefrontID, ordersID)
	if err != nil {
		return nil, err
	}
	conn, err := s.dialHTTP(url, own)
	if err != nil {
		return nil, err
	}
	return orders.NewHTTPClient(conn, on.client)
}

// openStorefront opens the door to the street, where nobody has a certificate.
func (s *shop) openStorefront(
	addr string, people *accounts.Service, instances sd.Instancer, sales *orders.Client, on *chains, logger log.Logger,
) error {
	products, err := s.dialCatalog(storefrontID, instances, on.client, logger)
	if err != nil {
		return err
	}
	passwords, err := accounts.Passwords()
	if err != nil {
		return err
	}
	config, err := s.certificates.open(storefrontID)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	accounts.Handle(mux, people, passwords, on.server, on.login...)
	storefront.Handle(mux, products, sales, on.server, on.door...)
	s.url, err = s.serveHTTP(storefrontID, addr, mux, config, logger)
	return err
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
