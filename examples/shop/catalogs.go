package main

import (
	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/examples/shop/catalog"
	"github.com/ashlar-go/ashlar/lb"
	"github.com/ashlar-go/ashlar/log"
	"github.com/ashlar-go/ashlar/sd"
	grpctransport "github.com/ashlar-go/ashlar/transport/grpc"
)

const catalogInstances = 3

// openCatalog starts the instances of the catalog, and returns how they are found.
func (s *shop) openCatalog(servers []*grpctransport.Server, opts options, logger log.Logger) (sd.Instancer, error) {
	found, err := s.openRegistry(opts.registry, opts.registryAddr, catalogID)
	if err != nil {
		return nil, err
	}
	config, err := s.certificates.server(catalogID, storefrontID, ordersID, operatorID)
	if err != nil {
		return nil, err
	}
	s.catalog = &fleet{name: catalogID, servers: servers, tls: config, registrar: found.registrar, logger: logger, failed: s.failed}
	s.closers = append(s.closers, s.catalog.close)
	for range catalogInstances {
		if err := s.catalog.start(); err != nil {
			return nil, err
		}
	}
	if found.instancer == nil {
		return sd.NewStaticAddresses(s.catalog.addresses()...)
	}
	return found.instancer, nil
}

// dialCatalog returns the catalog as one of the services calls it: through a pool of all instances.
func (s *shop) dialCatalog(
	caller string, instances sd.Instancer, onClient endpoint.Middleware, logger log.Logger,
) (*catalog.Client, error) {
	config, err := s.certificates.client(caller, catalogID)
	if err != nil {
		return nil, err
	}
	dial, err := grpctransport.Dialer(dialGRPC(config))
	if err != nil {
		return nil, err
	}
	pool, err := lb.New(catalogID, instances, lb.ByAddress(dial), lb.PoolWaitReady(), lb.PoolEvents(func(e lb.Event) {
		line := []any{"msg", "pool", "of", caller, "service", catalogID, "event", e.Kind, "instance", e.Instance}
		if e.Err != nil {
			line = append(line, "err", e.Err)
		}
		_ = log.Info(logger).Log(line...)
	}))
	if err != nil {
		return nil, err
	}
	s.closers = append(s.closers, pool.Close)
	return catalog.NewClient(pool, onClient)
}
