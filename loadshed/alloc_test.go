package loadshed_test

import (
	"context"
	"testing"

	"github.com/ashlar-go/ashlar/loadshed"
)

func TestACallDoesNotAllocate(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector makes a sync.Pool forget")
	}
	adaptive, full := newShedder(t), roomless(t, 1)
	defer acquire(t, full)(nil)
	bulkhead, err := loadshed.NewBulkhead(1)
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	next := func(context.Context, any) (any, error) { return "stone", nil }
	h, refusing := adaptive.Middleware(spec, next), full.Middleware(spec, next)
	for name, call := range map[string]func(){
		"Acquire": func() {
			if done, err := adaptive.Acquire(ctx); err == nil {
				done(nil)
			}
		},
		"Middleware": func() { _, _ = h(ctx, nil) },
		"a refusal":  func() { _, _ = refusing(ctx, nil) },
		"Bulkhead": func() {
			if done, err := bulkhead.Acquire(ctx); err == nil {
				done(nil)
			}
		},
	} {
		call()
		if want, have := 0.0, testing.AllocsPerRun(1000, call); want != have {
			t.Errorf("%s: want %v allocations, have %v", name, want, have)
		}
	}
}
