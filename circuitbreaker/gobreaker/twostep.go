package sonybreaker

import (
	"github.com/sony/gobreaker/v2"

	"github.com/ashlar-go/ashlar/circuitbreaker"
)

// twoStep is a circuitbreaker.Breaker.
type twoStep struct {
	sony *gobreaker.TwoStepCircuitBreaker[any]
	gauge
}

// Allow implements circuitbreaker.Breaker.
func (b *twoStep) Allow() (done func(error), err error) {
	if done, err = b.sony.Allow(); err != nil {
		return nil, b.refusal(err)
	}
	return done, nil
}

// Report implements circuitbreaker.Reporter.
func (b *twoStep) Report() circuitbreaker.Report { return report(b.sony.State(), b.sony.Counts()) }
