package circuitbreakertest_test

import (
	"context"
	"errors"
	"time"

	"github.com/sony/gobreaker/v2"

	"github.com/ashlar-go/ashlar/circuitbreaker"
	sonybreaker "github.com/ashlar-go/ashlar/circuitbreaker/gobreaker"
)

// doers is a policy whose doers are those of gobreaker but for what f makes of Do.
type doers struct {
	circuitbreaker.DoerPolicy

	f func(sound circuitbreaker.Doer, ctx context.Context, request any, call circuitbreaker.DoFunc) (any, bool, error)
}

func (d doers) Doer(changed told) (circuitbreaker.Doer, error) {
	sound, err := d.DoerPolicy.Doer(changed)
	return doer{sound: sound, f: d.f}, err
}

type doer struct {
	sound circuitbreaker.Doer
	f     func(sound circuitbreaker.Doer, ctx context.Context, request any, call circuitbreaker.DoFunc) (any, bool, error)
}

func (d doer) Do(ctx context.Context, request any, call circuitbreaker.DoFunc) (any, bool, error) {
	return d.f(d.sound, ctx, request, call)
}

func brokenDoers() map[string]map[string]circuitbreaker.Policy {
	type sound = circuitbreaker.Doer
	type call = circuitbreaker.DoFunc
	gobreakers := sonybreaker.New(gobreaker.Settings{Timeout: 2 * time.Second})
	return map[string]map[string]circuitbreaker.Policy{
		"DoPasses": {
			"without the context": doers{gobreakers, func(s sound, _ context.Context, request any, f call) (any, bool, error) {
				return s.Do(context.Background(), request, f)
			}},
			"without the response where it fails": doers{gobreakers, func(s sound, ctx context.Context, request any, f call) (any, bool, error) {
				response, refused, err := s.Do(ctx, request, f)
				if err != nil {
					response = nil
				}
				return response, refused, err
			}},
			"twice": doers{gobreakers, func(s sound, ctx context.Context, request any, f call) (any, bool, error) {
				return s.Do(ctx, request, func(ctx context.Context, request any) (any, error, error) {
					_, _, _ = f(ctx, request)
					return f(ctx, request)
				})
			}},
		},
		"DoOutcome": {"goes by the error": doers{gobreakers, func(s sound, ctx context.Context, request any, f call) (any, bool, error) {
			return s.Do(ctx, request, func(ctx context.Context, request any) (any, error, error) {
				response, _, err := f(ctx, request)
				return response, err, err
			})
		}}},
		"DoRefuses": {"after the call": doers{gobreakers, func(s sound, ctx context.Context, request any, f call) (any, bool, error) {
			made := false
			response, refused, err := s.Do(ctx, request, func(ctx context.Context, request any) (any, error, error) {
				made = true
				return f(ctx, request)
			})
			if refused && !made {
				_, _, _ = f(ctx, request)
			}
			return response, refused, err
		}}},
		"DoPanics": {
			"keeps it": doers{gobreakers, func(s sound, ctx context.Context, request any, f call) (_ any, _ bool, err error) {
				defer func() {
					if recover() != nil {
						err = errBroken
					}
				}()
				return s.Do(ctx, request, f)
			}},
			"wraps it": doers{gobreakers, func(s sound, ctx context.Context, request any, f call) (any, bool, error) {
				defer func() {
					if v := recover(); v != nil {
						panic(errBroken)
					}
				}()
				return s.Do(ctx, request, f)
			}},
		},
		"DoGoexit": {"holds a place, as plain gobreaker": plainDoers{gobreakers}},
	}
}

// plainDoers make what one writes by hand.
type plainDoers struct{ circuitbreaker.DoerPolicy }

func (plainDoers) Doer(told) (circuitbreaker.Doer, error) {
	return &plain{gobreaker.NewCircuitBreaker[any](gobreaker.Settings{
		Timeout:    2 * time.Second,
		IsExcluded: func(err error) bool { return errors.Is(err, circuitbreaker.ErrIgnored) },
	})}, nil
}

type plain struct {
	sony *gobreaker.CircuitBreaker[any]
}

func (p *plain) Do(ctx context.Context, request any, f circuitbreaker.DoFunc) (response any, refused bool, err error) {
	refused = true
	_, sonyErr := p.sony.Execute(func() (any, error) {
		refused = false
		var outcome error
		response, outcome, err = f(ctx, request)
		return nil, outcome
	})
	if refused {
		return nil, true, &circuitbreaker.OpenError{Err: sonyErr}
	}
	return response, false, err
}
