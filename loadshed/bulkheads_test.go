package loadshed_test

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/loadshed"
)

type tenantKey struct{}

func tenantOf(ctx context.Context, _ any) string {
	tenant, _ := ctx.Value(tenantKey{}).(string)
	return tenant
}

func TestEachKeyHasABulkhead(t *testing.T) {
	t.Parallel()
	b := must(loadshed.NewBulkheads(1, loadshed.BulkheadName("tenants"), loadshed.BulkheadKey(tenantOf), loadshed.BulkheadPerOperation()))
	var inner func(ctx context.Context) error
	h := b.Middleware(spec, func(context.Context, any) (any, error) { return nil, inner(t.Context()) })
	other := b.Middleware(endpoint.Spec{Service: "quarry", Method: "Split"}, func(context.Context, any) (any, error) { return "stone", nil })
	as := func(tenant string) context.Context { return context.WithValue(t.Context(), tenantKey{}, tenant) }
	inner = func(context.Context) error {
		inner = func(context.Context) error { return nil }
		_, same := h(as("ada"), nil)
		_, another := h(as("bob"), nil)
		_, elsewhere := other(as("ada"), nil)
		if !errors.Is(same, loadshed.ErrFull) || !strings.Contains(same.Error(), `bulkhead "tenants"`) {
			t.Errorf("want the name of the bulkhead, have %v", same)
		}
		return errors.Join(another, elsewhere)
	}
	if _, err := h(as("ada"), nil); err != nil {
		t.Fatal(err)
	}
	want := []loadshed.BulkheadStatus{
		{Name: "tenants", Operation: "quarry/Cut", Key: "ada", Limit: 1, Full: 1}, {Name: "tenants", Operation: "quarry/Cut", Key: "bob", Limit: 1},
		{Name: "tenants", Operation: "quarry/Split", Key: "ada", Limit: 1},
	}
	if have := b.Status(); !slices.Equal(want, have.Bulkheads) || have.Full != 1 || have.Late != 0 {
		t.Errorf("want %+v, have %+v", want, have)
	}
}

// Keys are forgotten, the one that was used longest ago first, but none that is in use.
func TestKeysInUseStay(t *testing.T) {
	t.Parallel()
	const most = 3
	b := must(loadshed.NewBulkheads(1, loadshed.BulkheadKey(tenantOf), loadshed.BulkheadMaxKeys(most)))
	use := func(key string) { must(b.Acquire(t.Context(), key))(nil) }
	held := must(b.Acquire(t.Context(), "held"))
	if _, err := b.Acquire(t.Context(), "held"); !errors.Is(err, loadshed.ErrFull) {
		t.Fatalf("have %v", err)
	}
	for i := range 100 {
		use("key " + strconv.Itoa(i))
		use("often")
	}
	keys := func() (keys []string) {
		for _, s := range b.Status().Bulkheads {
			keys = append(keys, s.Key)
		}
		return keys
	}
	if want, have := []string{"held", "key 99", "often"}, keys(); !slices.Equal(want, have) {
		t.Errorf("want %q, have %q", want, have)
	}
	if _, err := b.Acquire(t.Context(), "held"); !errors.Is(err, loadshed.ErrFull) {
		t.Errorf("want what is in use to stay, have %v", err)
	}
	held(nil)
	for i := range most {
		use("key " + strconv.Itoa(i))
	}
	if have := b.Status(); len(have.Bulkheads) != most || have.Forgotten != 102 || have.Full != 2 {
		t.Errorf("want three keys, and the refusals of one that was forgotten, have %+v", have)
	}
	var dones []func(error)
	for i := range 10 {
		dones = append(dones, must(b.Acquire(t.Context(), strconv.Itoa(i))))
	}
	if want, have := 10, len(keys()); want != have {
		t.Errorf("want %d keys in use, have %d", want, have)
	}
	for _, done := range dones {
		done(nil)
	}
	if want, have := []string{"7", "8", "9"}, keys(); !slices.Equal(want, have) {
		t.Errorf("want %q, have %q", want, have)
	}
}

func TestALongKeyIsKeptShort(t *testing.T) {
	t.Parallel()
	b := must(loadshed.NewBulkheads(1, loadshed.BulkheadKey(tenantOf)))
	long := strings.Repeat("x", 100_000)
	for _, key := range []string{long + "1", long + "2"} {
		defer must(b.Acquire(t.Context(), key))(nil)
		if _, err := b.Acquire(t.Context(), key); !errors.Is(err, loadshed.ErrFull) {
			t.Errorf("want a key to have one, have %v", err)
		}
	}
	for _, s := range b.Status().Bulkheads {
		if have := len(s.Key); have > 256 {
			t.Errorf("want at most 256 bytes, have %d", have)
		}
	}
}

// It is told once that calls are refused, and once that none was for a second, or that the key was forgotten.
func TestBulkheadsTellEvents(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var events []string
		told := loadshed.BulkheadOnEvent(func(e loadshed.BulkheadEvent) {
			events = append(events, e.Kind.String()+" "+e.Status.Name+" "+e.Status.Key)
		})
		b := must(loadshed.NewBulkhead(1, loadshed.BulkheadName("payments"), told))
		keyed := must(loadshed.NewBulkheads(1, loadshed.BulkheadKey(tenantOf), told, loadshed.BulkheadMaxKeys(1)))
		refuse := func() {
			done := must(b.Acquire(t.Context()))
			for range 3 {
				if _, err := b.Acquire(t.Context()); err == nil {
					t.Error("want it refused")
				}
			}
			done(nil)
		}
		refuse()
		time.Sleep(999 * time.Millisecond)
		refuse()
		time.Sleep(999 * time.Millisecond)
		_ = b.Status()
		time.Sleep(time.Millisecond)
		must(b.Acquire(t.Context()))(nil)
		refuse()
		time.Sleep(time.Second)
		_ = b.Status()
		done := must(keyed.Acquire(t.Context(), "ada"))
		_, _ = keyed.Acquire(t.Context(), "ada")
		done(nil)
		must(keyed.Acquire(t.Context(), "bob"))(nil)
		want := []string{"overload began payments ", "overload ended payments ", "overload began payments ", "overload ended payments ", "overload began  ada", "overload ended  ada"}
		if !slices.Equal(want, events) {
			t.Errorf("want %q, have %q", want, events)
		}
	})
}

func TestAPanicOfWhoIsToldLeavesNoKeyInUse(t *testing.T) {
	t.Parallel()
	b := must(loadshed.NewBulkheads(1, loadshed.BulkheadKey(tenantOf), loadshed.BulkheadMaxKeys(1),
		loadshed.BulkheadOnEvent(func(loadshed.BulkheadEvent) { panic("own") })))
	done := must(b.Acquire(t.Context(), "ada"))
	panics(t, "a refusal", func() { _, _ = b.Acquire(t.Context(), "ada") })
	done(nil)
	panics(t, "a key that is forgotten", func() { _, _ = b.Acquire(t.Context(), "bob") })
	must(b.Acquire(t.Context(), "carl"))(nil)
	if have := b.Status(); len(have.Bulkheads) != 1 || have.Bulkheads[0].Key != "carl" {
		t.Errorf("want the last key alone, have %+v", have)
	}
}

func TestManyKeysAtATime(t *testing.T) {
	t.Parallel()
	b := must(loadshed.NewBulkheads(2, loadshed.BulkheadKey(tenantOf), loadshed.BulkheadMaxKeys(4), loadshed.BulkheadWait(time.Minute, 100)))
	var (
		inside [10]chan struct{}
		all    sync.WaitGroup
	)
	for i := range inside {
		inside[i] = make(chan struct{}, 2)
	}
	for i := range 20 {
		all.Go(func() {
			for j := range 500 {
				key := (i + j) % len(inside)
				done, err := b.Acquire(t.Context(), strconv.Itoa(key))
				if err != nil {
					t.Error(err)
					continue
				}
				select {
				case inside[key] <- struct{}{}:
					<-inside[key]
				default:
					t.Error("want no more than two at a time")
				}
				done(nil)
			}
		})
	}
	all.Wait()
	if have := b.Status(); len(have.Bulkheads) > 4 {
		t.Errorf("want four keys at most, have %+v", have)
	}
}
