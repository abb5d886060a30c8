package main

import (
	"context"
	"net/http"

	"github.com/failsafe-go/failsafe-go/adaptivelimiter"
	"github.com/go-kratos/aegis/ratelimit"
	"github.com/go-kratos/aegis/ratelimit/bbr"
	"github.com/zeromicro/go-zero/core/load"
	"github.com/zeromicro/go-zero/core/logx"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/internal/overload"
	"github.com/ashlar-go/ashlar/loadshed"
	httptransport "github.com/ashlar-go/ashlar/transport/http"
)

// contestant makes the handler of a service: net/http with a shedder in front as its toolkit's own middleware has it, or Ashlar's server.
type contestant struct {
	name    string
	handler func(*overload.Service) (http.Handler, error)
}

func contestants() []contestant {
	return []contestant{
		{"none", func(service *overload.Service) (http.Handler, error) { return plain(service), nil }},
		{"ashlar", ashlar},
		{"gozero", func(service *overload.Service) (http.Handler, error) {
			return gozero(service, load.NewAdaptiveShedder()), nil
		}},
		{"gozero, threshold 0", func(service *overload.Service) (http.Handler, error) {
			return gozero(service, load.NewAdaptiveShedder(load.WithCpuThreshold(0))), nil
		}},
		{"kratos", func(service *overload.Service) (http.Handler, error) { return kratos(service, bbr.NewLimiter()), nil }},
		{"kratos, threshold 0", func(service *overload.Service) (http.Handler, error) {
			return kratos(service, bbr.NewLimiter(bbr.WithCPUThreshold(0))), nil
		}},
		{"failsafe", failsafe},
	}
}

func plain(service *overload.Service) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		service.Work()
		w.WriteHeader(http.StatusNoContent)
	})
}

func ashlar(service *overload.Service) (http.Handler, error) {
	shedder, err := loadshed.New()
	if err != nil {
		return nil, err
	}
	work := func(context.Context, struct{}) (struct{}, error) {
		service.Work()
		return struct{}{}, nil
	}
	spec := endpoint.Spec{Service: "overload", Method: "Work"}
	return httptransport.NewServer(spec, work, httptransport.ServerMiddleware(shedder.Middleware)), nil
}

// gozero does what go-zero's rest/handler.SheddingHandler does.
func gozero(service *overload.Service, shedder load.Shedder) http.Handler {
	load.DisableLog()
	logx.Disable() // which also tells of the processor every minute
	next := plain(service)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		promise, err := shedder.Allow()
		if err != nil {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		next.ServeHTTP(w, r)
		promise.Pass()
	})
}

// kratos does what Kratos's middleware/ratelimit does.
func kratos(service *overload.Service, limiter ratelimit.Limiter) http.Handler {
	next := plain(service)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		done, err := limiter.Allow()
		if err != nil {
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		next.ServeHTTP(w, r)
		done(ratelimit.DoneInfo{})
	})
}

// failsafe lets as many calls wait as its documentation shows.
func failsafe(service *overload.Service) (http.Handler, error) {
	const initial, most = 2, 3 // of the queue, as multiples of the limit
	limiter := adaptivelimiter.NewBuilder[any]().WithQueueing(initial, most).Build()
	next := plain(service)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		permit, err := limiter.AcquirePermit(r.Context())
		if err != nil {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		next.ServeHTTP(w, r)
		permit.Record()
	}), nil
}
