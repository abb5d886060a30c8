package workqueue_test

import (
	"context"
	"errors"
	"math"
	"testing"
	"time"

	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport/nats/workqueue"
)

func TestRetryableByCode(t *testing.T) {
	t.Parallel()
	want := map[status.Code]bool{
		status.Canceled: true, status.Unknown: true, status.DeadlineExceeded: true, status.ResourceExhausted: true, status.Aborted: true,
		status.Internal: true, status.Unavailable: true,
		status.InvalidArgument: false, status.NotFound: false, status.AlreadyExists: false, status.PermissionDenied: false,
		status.FailedPrecondition: false, status.OutOfRange: false, status.Unimplemented: false, status.DataLoss: false, status.Unauthenticated: false,
	}
	for code := status.Code(1); code.Valid(); code++ {
		err := status.New(code, "x")
		if have := workqueue.Retryable(err); have != want[code] {
			t.Errorf("%v: want %t, have %t", code, want[code], have)
		}
		if !workqueue.Retryable(err.WithRetryAfter(time.Second)) {
			t.Errorf("%v with a RetryAfter: want another attempt", code)
		}
	}
	if len(want) != 16 {
		t.Errorf("want all sixteen codes, have %d", len(want))
	}
}

func TestBackoffIsExponentialWithFullJitter(t *testing.T) {
	t.Parallel()
	const first, most = workqueue.DefaultFirstBackoff, workqueue.DefaultMostBackoff
	limits := map[int]time.Duration{1: time.Second, 2: 2 * time.Second, 3: 4 * time.Second, 9: 256 * time.Second, 10: 512 * time.Second, 11: most, 1 << 20: most}
	for attempt, want := range limits {
		if have := workqueue.BackoffLimit(first, most, attempt); have != want {
			t.Errorf("limit after delivery %d: want %v, have %v", attempt, want, have)
		}
		const n = 10_000
		sum, least, longest := 0.0, want, time.Duration(0)
		for range n {
			d := workqueue.BackoffDelay(first, most, attempt)
			sum, least, longest = sum+float64(d), min(least, d), max(longest, d)
		}
		if mean := sum / n; math.Abs(mean/float64(want)-.5) > .03 || least > want/50 || longest < want*49/50 || longest > want {
			t.Errorf("after delivery %d: want 0 to %v, on average half, have %v to %v, on average %v", attempt, want, least, longest, time.Duration(mean))
		}
	}
	if have := workqueue.BackoffLimit(1, math.MaxInt64, 100); have != math.MaxInt64 {
		t.Errorf("want no overflow, have %v", have)
	}
	total := time.Duration(0)
	for attempt := 1; attempt < workqueue.DefaultMaxDeliver; attempt++ {
		total += workqueue.BackoffLimit(first, most, attempt)
	}
	if total > 9*time.Minute || total/2 < 4*time.Minute {
		t.Errorf("the attempts spread over %v at most", total)
	}
}

func TestDelaysGrow(t *testing.T) {
	t.Parallel()
	q := newQueue(t)
	const jobs, attempts = 30, 4
	type delivery struct {
		job, attempt int
		at           time.Time
	}
	seen := make(chan delivery, jobs*attempts)
	done, ended := outcomes()
	q.serve(func(ctx context.Context, j *job) error {
		d := workqueue.FromContext(ctx)
		seen <- delivery{j.N, d.Attempt, time.Now()}
		if d.Attempt < attempts {
			return status.New(status.Unavailable, "not yet")
		}
		return nil
	}, done, workqueue.ServerBackoff(100*time.Millisecond, time.Second), workqueue.ServerConcurrency(jobs))
	q.put(jobs)
	var at [jobs + 1][attempts + 1]time.Time
	for range jobs * attempts {
		d := receive(t, "a delivery", seen)
		at[d.job][d.attempt] = d.at
	}
	told, waited := [attempts]time.Duration{}, [attempts]time.Duration{}
	for range jobs * attempts {
		if o := receive(t, "an outcome", ended); o.Verdict == workqueue.Retried {
			told[0] += o.Delay
		}
	}
	all := time.Duration(0)
	for attempt := 1; attempt < attempts; attempt++ {
		for n := 1; n <= jobs; n++ {
			d := at[n][attempt+1].Sub(at[n][attempt])
			waited[attempt] += d / jobs
			all += d
		}
	}
	if last := attempts - 1; waited[last] < waited[1]*5/4 { // four times as long, but for chance and what a busy machine adds to both
		t.Errorf("want longer delays after delivery %d than after the first, have %v on average", last, waited)
	}
	if all < told[0] {
		t.Errorf("want at least the %v that the outcomes tell of, have %v", told[0], all)
	}
}

func TestTheErrorMaySayWhen(t *testing.T) {
	t.Parallel()
	q := newQueue(t)
	q.put(1)
	done, ended := outcomes()
	seen := make(chan time.Time, 2)
	q.serve(func(ctx context.Context, _ *job) error {
		seen <- time.Now()
		if workqueue.FromContext(ctx).Attempt == 1 {
			return status.New(status.NotFound, "not yet").WithRetryAfter(400 * time.Millisecond)
		}
		return nil
	}, done)
	if o := receive(t, "an outcome", ended); o.Verdict != workqueue.Retried || o.Delay != 400*time.Millisecond {
		t.Errorf("want a delay of 400 ms, have %+v", o)
	}
	first, second := receive(t, "the first", seen), receive(t, "the second", seen)
	if d := second.Sub(first); d < 350*time.Millisecond {
		t.Errorf("want it delivered again after 400 ms, have %v", d)
	}
}

func TestServerRetryDecides(t *testing.T) {
	t.Parallel()
	q := newQueue(t)
	q.put(1)
	q.publish(newMsg("jobs.do", "no JSON"))
	done, ended := outcomes()
	q.serve(func(ctx context.Context, _ *job) error {
		if workqueue.FromContext(ctx).Attempt == 1 {
			return status.New(status.NotFound, "x")
		}
		return errors.New("a bug")
	}, done, workqueue.ServerOrdered(), workqueue.ServerRetry(func(err *status.Error) bool { return err.Code != status.Internal }))
	for _, want := range []workqueue.Verdict{workqueue.Retried, workqueue.Terminated, workqueue.Terminated} {
		if o := receive(t, "an outcome", ended); o.Verdict != want {
			t.Errorf("want %v, have %v, %v", want, o.Verdict, o.Err)
		}
	}
}
