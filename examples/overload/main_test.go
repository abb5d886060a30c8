package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/internal/overload"
	"github.com/ashlar-go/ashlar/transport/inproc"
)

func TestMain(m *testing.M) {
	runtime.GOMAXPROCS(2) // by which the limit begins, so that the figures are the same everywhere
	goleak.VerifyTestMain(m)
}

// inProcess is a starter for bubbles of synctest.
func inProcess(work endpoint.Endpoint[*Work, *Done], mw ...endpoint.Middleware) (
	call endpoint.Endpoint[*Work, *Done], closes func() error, err error,
) {
	mux := new(inproc.Mux)
	mux.Handle(inproc.NewServer(spec(), work, inproc.ServerMiddleware(mw...)))
	call, err = inproc.NewClient[*Work, *Done](spec(), mux)
	return call, func() error { return nil }, err
}

// measure makes a run in a bubble of its own.
func measure(t *testing.T, shed bool, times float64) overload.Summary {
	t.Helper()
	const long = 20 * time.Second
	var s overload.Summary
	synctest.Test(t, func(t *testing.T) {
		var err error
		if s, err = at(t.Context(), inProcess, shed, times, long); err != nil {
			t.Fatal(err)
		}
	})
	return s
}

func TestShedding(t *testing.T) {
	t.Parallel()
	calm := measure(t, true, 0.8)
	if calm.Goodput < 0.99*calm.Offered {
		t.Errorf("want next to nothing to be refused at 0.8 of the capacity, have %+v", calm)
	}
	for _, times := range []float64{1, 2, 5, 10} {
		have := measure(t, true, times)
		if want := 0.9 * min(capacity, have.Offered); have.Goodput < want {
			t.Errorf("%v times: want %.0f calls a second to be served, have %+v", times, want, have)
		}
		if want := 3 * calm.P99; have.P99 > want {
			t.Errorf("%v times: want a p99 up to %v, have %+v", times, want, have)
		}
		t.Logf("%v times: %+v", times, have)
	}
}

func TestWithoutSheddingTheServiceCollapses(t *testing.T) {
	t.Parallel()
	for _, times := range []float64{2, 5, 10} {
		if have := measure(t, false, times); have.Goodput > 0.2*capacity {
			t.Errorf("%v times: want next to nothing to be served in time, have %+v", times, have)
		}
	}
}

func TestAStormLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		storms, err := storm(t.Context(), 10*time.Second, inProcess, &out)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range storms {
			last := s.series[len(s.series)-1]
			if want, have := s.shed, last.Goodput > 0.9*last.Offered; want != have {
				t.Errorf("shedding %v: want calls to be served again: %v, have %+v", s.shed, want, last)
			}
		}
	})
}

func TestItPrintsATableAndDrawsAChart(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "chart.svg")
	var out bytes.Buffer
	synctest.Test(t, func(t *testing.T) {
		if err := run(t.Context(), options{every: time.Second, svg: file}, inProcess, &out); err != nil {
			t.Fatal(err)
		}
	})
	for _, want := range []string{"capacity 400 calls/s", "goodput", "\n      0.8 ", "\n     10.0 ", "shedding no:  after the storm   0 %", "shedding yes: after the storm  "} {
		if have := out.String(); !strings.Contains(have, want) {
			t.Errorf("want %q, have\n%s", want, have)
		}
	}
	chart, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.HasPrefix(chart, []byte("<svg")) || bytes.Count(chart, []byte("without shedding")) != 3 {
		t.Errorf("want three charts, have %s", chart)
	}
}

// All calls are accounted for over a real connection. How many are served on a busy machine is not for a test to say.
func TestOverHTTP(t *testing.T) {
	t.Parallel()
	_, calls, err := drive(t.Context(), overHTTP, true, overload.Phase{Rate: 2 * capacity, For: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	have := overload.Summarize(calls, time.Second)
	if have.Offered == 0 || have.Goodput == 0 || have.Failed > 0 {
		t.Errorf("want calls that are served, and none that fail, have %+v", have)
	}
}

func TestItEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := run(ctx, options{every: time.Minute}, overHTTP, new(bytes.Buffer)); err == nil {
		t.Error("want an error")
	}
}

func TestATimeThatIsTooShortIsNamed(t *testing.T) {
	t.Parallel()
	err := run(t.Context(), options{every: time.Millisecond}, overHTTP, new(bytes.Buffer))
	if want := "-for 1ms: want a second or more"; err == nil || err.Error() != want {
		t.Errorf("want %q, have %v", want, err)
	}
}
