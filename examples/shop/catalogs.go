package main

import (
	"google.golang.org/grpc"

	"github.com/ashlar-go/ashlar/lb"
	"github.com/ashlar-go/ashlar/log"
	"github.com/ashlar-go/ashlar/sd"
	grpctransport "github.com/ashlar-go/ashlar/transport/grpc"
)

const catalogInstances = 3

// openCatalog starts the instances of the catalog, and returns the pool by which they are called.
func (s *shop) openCatalog(servers []*grpctransport.Server, opts options, logger log.Logger) (*lb.Pool[*grpc.ClientConn], error) {
	found, err := s.openRegistry(opts.registry, opts.registryAddr, "catalog")
	if err != nil {
		return nil, err
	}
	s.catalog = &fleet{name: "catalog", servers: servers, registrar: found.registrar, logger: logger, failed: s.failed}
	s.closers = append(s.closers, s.catalog.close)
	for range catalogInstances {
		if err := s.catalog.start(); err != nil {
			return nil, err
		}
	}
	if found.instancer == nil {
		if found.instancer, err = sd.NewStaticAddresses(s.catalog.addresses()...); err != nil {
			return nil, err
		}
	}
	dial, err := grpctransport.Dialer(grpctransport.DialInsecure())
	if err != nil {
		return nil, err
	}
	pool, err := lb.New("catalog", found.instancer, lb.ByAddress(dial), lb.PoolWaitReady(), lb.PoolEvents(func(e lb.Event) {
		_ = log.Info(logger).Log("msg", "pool", "service", "catalog", "event", e.Kind, "instance", e.Instance, "err", e.Err)
	}))
	if err != nil {
		return nil, err
	}
	s.closers = append(s.closers, pool.Close)
	return pool, nil
}
