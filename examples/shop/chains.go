package main

import (
	"time"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/examples/shop/accounts"
	"github.com/ashlar-go/ashlar/log"
	"github.com/ashlar-go/ashlar/status"
	grpctransport "github.com/ashlar-go/ashlar/transport/grpc"
	httptransport "github.com/ashlar-go/ashlar/transport/http"
	natstransport "github.com/ashlar-go/ashlar/transport/nats"
)

const slowCall = 250 * time.Millisecond

// chains are what goes around the endpoints of the shop: of every type, unary and streaming, on every transport.
type chains struct {
	server endpoint.Middleware // each endpoint that is served
	client endpoint.Middleware // each that is called

	// Around decoding: the request log, and who may call. Successes are for -log debug.
	http httptransport.ServerOption
	grpc grpctransport.ServerOption
	nats natstransport.ServerOption
	// At the storefront, besides: no more calls than can be served, and no more of one customer than a share.
	door []httptransport.ServerOption
	// And at the login, no more tries than somebody who knows the password needs.
	login []httptransport.ServerOption
}

func newChains(people *accounts.Service, logger log.Logger) (*chains, error) {
	onClient, err := guardClients(logger)
	if err != nil {
		return nil, err
	}
	allowed, err := guard(people.Tokens(), logger)
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
	tries, err := limitLogins()
	if err != nil {
		return nil, err
	}
	requestLog := log.Middleware(logger, log.CodeLevel(log.LevelDebug, status.OK), log.Slow(slowCall))
	around := endpoint.Chain(requestLog, allowed)
	return &chains{
		server: endpoint.Chain(endpoint.Recover(), endpoint.Timeout(callTimeout), endpoint.Validate()),
		client: onClient,
		http:   httptransport.ServerMiddleware(around),
		grpc:   grpctransport.ServerMiddleware(around),
		nats:   natstransport.ServerMiddleware(around),
		door:   []httptransport.ServerOption{httptransport.ServerMiddleware(endpoint.Chain(shedder, around, limits))},
		login:  []httptransport.ServerOption{httptransport.ServerMiddleware(endpoint.Chain(shedder, tries, around))},
	}, nil
}
