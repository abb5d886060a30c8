package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/internal/overload"
	"github.com/ashlar-go/ashlar/loadshed"
	"github.com/ashlar-go/ashlar/status"
)

// capacity is how many calls the service serves in a second.
const capacity = float64(workers) / (float64(took) / float64(time.Second))

// calm is a load that the service can bear, as a multiple of its capacity.
const calm = 0.8

// modes are the runs without and with the middleware.
var modes = [...]bool{false, true}

// drive makes a run of its own, with a server of its own.
func drive(ctx context.Context, start starter, shed bool, phases ...overload.Phase) (
	load *overload.Load, calls []overload.Call, err error,
) {
	var mw []endpoint.Middleware
	if shed {
		shedder, err := loadshed.New()
		if err != nil {
			return nil, nil, err
		}
		mw = append(mw, shedder.Middleware)
	}
	service := overload.NewService(workers, took)
	call, closes, err := start(worker(service), mw...)
	if err != nil {
		return nil, nil, err
	}
	defer func() {
		service.Close() // the calls that nobody waits for any more
		err = errors.Join(err, closes())
	}()
	load = &overload.Load{
		Phases: phases, Timeout: timeout, Seed: 1,
		Call: func(ctx context.Context) error {
			_, err := call(ctx, &Work{N: 1})
			return err
		},
		Refused: func(err error) bool { return status.CodeOf(err) == status.Unavailable },
	}
	calls, err = load.Run(ctx)
	return load, calls, err
}

// at makes a run at so many times the capacity, after a calm beginning that does not count.
func at(ctx context.Context, start starter, shed bool, times float64, long time.Duration) (overload.Summary, error) {
	const warm = 3 * time.Second
	load, calls, err := drive(ctx, start, shed,
		overload.Phase{Rate: calm * capacity, For: warm}, overload.Phase{Rate: times * capacity, For: long})
	if err != nil {
		return overload.Summary{}, err
	}
	return overload.Summarize(load.InPhase(calls, 1, 0), long), nil
}

// table prints what becomes of the calls at each multiple of the capacity.
func table(ctx context.Context, every time.Duration, start starter, out io.Writer) error {
	fmt.Fprintf(out, "capacity %.0f calls/s; callers wait %v; %v for each line\n\n", capacity, timeout, every)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "offered\tshedding\tgoodput\tp50\tp99\trefused\tlate\tfailed\t")
	for _, times := range []float64{calm, 1, 2, 5, 10} {
		for _, shed := range modes {
			s, err := at(ctx, start, shed, times, every)
			if err != nil {
				return err
			}
			fmt.Fprintf(w, "%.1f\t%s\t%.2f\t%v\t%v\t%.1f %%\t%.1f %%\t%.1f %%\t\n", times, onOff(shed), s.Goodput/capacity,
				s.P50.Round(time.Millisecond), s.P99.Round(time.Millisecond), percent*s.Refused, percent*s.Late, percent*s.Failed)
		}
	}
	return w.Flush()
}

const percent = 100

func onOff(shed bool) string {
	if shed {
		return "yes"
	}
	return "no"
}
