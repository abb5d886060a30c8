package sonybreaker

import (
	"context"
	"errors"

	"github.com/sony/gobreaker/v2"

	"github.com/ashlar-go/ashlar/circuitbreaker"
)

// oneStep is a circuitbreaker.Doer.
type oneStep struct {
	sony *gobreaker.CircuitBreaker[any]
	gauge
}

// errExit is what gobreaker sees of runtime.Goexit.
var errExit = errors.New("the call ended its goroutine")

// Do implements circuitbreaker.Doer. It allocates nothing.
//
// Execute counts a panic as a failure and panics again with its value, while the stack is still there. Of runtime.Goexit it notices
// nothing, so that the call would be in flight for ever and, half open, keep all others out. So a panic is begun in its place, which ends
// here, and Goexit goes on.
func (b *oneStep) Do(ctx context.Context, request any, f circuitbreaker.DoFunc) (response any, refused bool, err error) {
	refused, exited := true, false
	defer func() {
		if exited {
			_ = recover() // errExit
		}
	}()
	response, own := b.sony.Execute(func() (any, error) {
		refused = false
		returned := false
		defer func() {
			if returned {
				return
			}
			if value := recover(); value != nil {
				panic(value)
			}
			exited = true
			panic(errExit)
		}()
		response, outcome, failed := f(ctx, request)
		returned, err = true, failed
		return response, outcome
	})
	if refused {
		return nil, true, b.refusal(own)
	}
	return response, false, err
}

// Report implements circuitbreaker.Reporter.
func (b *oneStep) Report() circuitbreaker.Report { return report(b.sony.State(), b.sony.Counts()) }
