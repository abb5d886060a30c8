package circuitbreaker_test

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sony/gobreaker/v2"

	"github.com/ashlar-go/ashlar/circuitbreaker"
	sonybreaker "github.com/ashlar-go/ashlar/circuitbreaker/gobreaker"
	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/transport"
)

func TestNewRefusesWhatIsWrong(t *testing.T) {
	t.Parallel()
	own := errors.New("own")
	failing := circuitbreaker.PolicyFunc(func(func(from, to circuitbreaker.State)) (circuitbreaker.Breaker, error) { return nil, own })
	var none circuitbreaker.Breaker
	nothing := circuitbreaker.PolicyFunc(func(func(from, to circuitbreaker.State)) (circuitbreaker.Breaker, error) { return none, nil })
	for want, try := range map[string]struct {
		policy circuitbreaker.Policy
		opt    circuitbreaker.Option
	}{
		"the policy is nil":                  {nil, circuitbreaker.Opened(1)},
		"own":                                {failing, circuitbreaker.Opened(1)},
		"the policy made a nil Breaker":      {nothing, circuitbreaker.Opened(1)},
		"the PolicyFunc is nil":              {circuitbreaker.PolicyFunc(nil), circuitbreaker.Opened(1)},
		"MaxKeys(1): there is no Key":        {circuitbreaker.Adaptive(), circuitbreaker.MaxKeys(1)},
		"function 0 is nil":                  {circuitbreaker.Adaptive(), nil},
		"Failure: the function is nil":       {circuitbreaker.Adaptive(), circuitbreaker.Failure(nil)},
		"Key: the function is nil":           {circuitbreaker.Adaptive(), circuitbreaker.Key(nil)},
		"MaxKeys(0): want 1 to 2147483647":   {circuitbreaker.Adaptive(), circuitbreaker.MaxKeys(0)},
		"Opened(0s): want more than 0":       {circuitbreaker.Adaptive(), circuitbreaker.Opened(0)},
		"OnChange: the function is nil":      {circuitbreaker.Adaptive(), circuitbreaker.OnChange(nil)},
		"OnRefusal: the function is nil":     {circuitbreaker.Adaptive(), circuitbreaker.OnRefusal(nil)},
		"IsSuccessful is set; use circuitbr": {sonybreaker.New(gobreaker.Settings{IsSuccessful: func(error) bool { return true }}), circuitbreaker.Opened(1)},
		"IsExcluded is set; use circuitbrea": {sonybreaker.New(gobreaker.Settings{IsExcluded: func(error) bool { return true }}), circuitbreaker.Opened(1)},
	} {
		b, err := circuitbreaker.New(try.policy, try.opt)
		if b != nil || err == nil || !strings.HasPrefix(err.Error(), "circuitbreaker: ") || strings.Count(err.Error(), "circuitbreaker: ") != 1 || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, have %v", want, err)
		}
	}
}

// go-zero shares a breaker by name in the whole process.
func TestEveryEndpointHasABreakerOfItsOwnAlsoWithTheSameName(t *testing.T) {
	t.Parallel()
	for name, policy := range policies() {
		one, other := newBreakers(t, policy), newBreakers(t, policy)
		open := serves(t, readSpec, one.Middleware, always(errFails))
		rest := []func(context.Context) error{
			serves(t, readSpec, one.Middleware, always(nil)),
			serves(t, writeSpec, one.Middleware, always(nil)),
			serves(t, readSpec.Client(), one.Middleware, always(nil)),
			serves(t, readSpec, other.Middleware, always(nil)),
			serves(t, readSpec, one.Instance("a"), always(nil)),
		}
		openedBy(t.Context(), open)
		for i, call := range rest {
			if err := call(t.Context()); err != nil {
				t.Errorf("%s: want endpoint %d let through, have %v", name, i, err)
			}
		}
		var have []circuitbreaker.ID
		for _, s := range one.Status() {
			have = append(have, s.ID)
		}
		want := []circuitbreaker.ID{
			{Operation: "quarry/Read"}, {Operation: "quarry/Read"}, {Operation: "quarry/Read", Instance: "a"},
			{Operation: "quarry/Read", Side: endpoint.Client}, {Operation: "quarry/Write"},
		}
		if !slices.Equal(want, have) {
			t.Errorf("%s: want the status of %v, have %v", name, want, have)
		}
		runtime.KeepAlive(rest)
		runtime.KeepAlive(open)
	}
}

type tenant struct{}

func of(ctx context.Context, name string) context.Context {
	return context.WithValue(ctx, tenant{}, name)
}

func tenantOf(ctx context.Context, _ any) string {
	name, _ := ctx.Value(tenant{}).(string)
	return name
}

func TestEachKeyHasABreakerOfItsOwn(t *testing.T) {
	t.Parallel()
	for name, policy := range policies() {
		breakers := newBreakers(t, policy, circuitbreaker.Key(tenantOf))
		call := serves(t, readSpec, breakers.Middleware, func(ctx context.Context) error {
			if tenantOf(ctx, nil) == "bad" {
				return errFails
			}
			return nil
		})
		if have := openedBy(of(t.Context(), "bad"), call); have != 6 {
			t.Errorf("%s: want the seventh refused, have %d let through", name, have)
		}
		for _, ctx := range []context.Context{of(t.Context(), "good"), t.Context()} {
			if err := call(ctx); err != nil {
				t.Errorf("%s: want the others let through, have %v", name, err)
			}
		}
		var have []string
		for _, s := range breakers.Status() {
			have = append(have, s.ID.Key+" "+strconv.FormatUint(s.Refused, 10))
		}
		if want := []string{" 0", "bad 1", "good 0"}; !slices.Equal(want, have) {
			t.Errorf("%s: want %v, have %v", name, want, have)
		}
		runtime.KeepAlive(call)
	}
}

// A client has not made the header of its call when the breaker is asked, so the context tells of the call that is being served.
func TestAKeyOfHeaderFieldsIsThatOfTheCallBeingServedOnBothSides(t *testing.T) {
	t.Parallel()
	breakers := newBreakers(t, circuitbreaker.Adaptive(), circuitbreaker.Key(func(ctx context.Context, _ any) string {
		if info := transport.FromContext(ctx); info != nil {
			return info.Request.Get("Tenant")
		}
		return ""
	}))
	served, _ := transport.NewServerContext(t.Context(), transport.Info{Request: transport.HeaderMap{"Tenant": {"masons"}}})
	outgoing := transport.WithHeader(t.Context(), "Tenant", "sculptors")
	for _, spec := range []endpoint.Spec{readSpec, readSpec.Client()} {
		call := serves(t, spec, breakers.Middleware, always(nil))
		for _, ctx := range []context.Context{served, outgoing, transport.WithHeader(served, "Tenant", "sculptors")} {
			if err := call(ctx); err != nil {
				t.Error(err)
			}
		}
		defer func() { _ = call(served) }() // so that it is in use until then
	}
	var have []string
	for _, s := range breakers.Status() {
		have = append(have, s.ID.Side.String()+" "+s.ID.Key)
	}
	if want := []string{"server ", "server masons", "client ", "client masons"}; !slices.Equal(want, have) {
		t.Errorf("want %q, have %q", want, have)
	}
}

func TestEachPriorityHasABreakerOfItsOwn(t *testing.T) {
	t.Parallel()
	priorities := []transport.Priority{transport.PrioritySheddable, transport.PriorityDefault, transport.PriorityCritical}
	for name, policy := range policies() {
		for _, full := range priorities[:2] { // as for a server that refuses calls of this priority and of lower ones
			breakers := newBreakers(t, policy)
			call := serves(t, readSpec, breakers.Middleware, func(ctx context.Context) error {
				if transport.PriorityOf(ctx) <= full {
					return errFails
				}
				return nil
			})
			for _, p := range priorities {
				want := -1
				if p <= full {
					want = 6
				}
				if have := openedBy(transport.WithPriority(t.Context(), p), call); want != have {
					t.Errorf("%s, full for %v: want %d calls that are %v let through (-1 for all), have %d", name, full, want, p, have)
				}
			}
			var have []transport.Priority
			for _, s := range breakers.Status() {
				have = append(have, s.ID.Priority)
			}
			if !slices.Equal(priorities, have) {
				t.Errorf("%s: want %v, have %v", name, priorities, have)
			}
			runtime.KeepAlive(call)
		}
	}
}

func TestKeysAreBoundedAndThoseThatAreOpenStay(t *testing.T) {
	t.Parallel()
	for name, policy := range policies() {
		breakers := newBreakers(t, policy, circuitbreaker.Key(tenantOf), circuitbreaker.MaxKeys(10))
		call := serves(t, readSpec, breakers.Middleware, func(ctx context.Context) error {
			if tenantOf(ctx, nil) == "bad" {
				return errFails
			}
			return nil
		})
		bad := of(t.Context(), "bad")
		openedBy(bad, call)
		for i := range 1000 {
			if err := call(of(t.Context(), strconv.Itoa(i))); err != nil {
				t.Fatal(err)
			}
		}
		if have := len(breakers.Status()); have > 10 {
			t.Errorf("%s: want 10 at most, have %d", name, have)
		}
		if err := call(bad); !refused(err) {
			t.Errorf("%s: want it still open, have %v", name, err)
		}
		runtime.KeepAlive(call)
	}
}

func TestAnInstanceKeepsItsBreakerWhileItIsInUseAndNoLonger(t *testing.T) {
	t.Parallel()
	for name, policy := range policies() {
		breakers := newBreakers(t, policy)
		first := serves(t, readSpec.Client(), breakers.Instance("a"), always(errFails))
		openedBy(t.Context(), first)
		again := serves(t, readSpec.Client(), breakers.Instance("a"), always(nil)) // as after a new dial
		if err := again(t.Context()); !refused(err) || !strings.Contains(err.Error(), "instance a") {
			t.Errorf("%s: want the breaker that there is, and the instance in the cause, have %v", name, err)
		}
		if err := serves(t, readSpec.Client(), breakers.Instance("b"), always(nil))(t.Context()); err != nil {
			t.Errorf("%s: want another for another instance, have %v", name, err)
		}
		runtime.KeepAlive(first)
		runtime.KeepAlive(again)
		for deadline := time.Now().Add(time.Minute); len(breakers.Status()) > 0 && time.Now().Before(deadline); runtime.GC() {
			runtime.Gosched()
		}
		if have := breakers.Status(); len(have) != 0 {
			t.Errorf("%s: want none when no endpoint has one any more, have %v", name, have)
		}
		for deadline := time.Now().Add(time.Minute); breakers.Sites() > 0 && time.Now().Before(deadline); runtime.GC() {
			runtime.Gosched()
		}
		if have := breakers.Sites(); have != 0 {
			t.Errorf("%s: want nothing kept of those, have %d", name, have)
		}
		if err := serves(t, readSpec.Client(), breakers.Instance("a"), always(nil))(t.Context()); err != nil {
			t.Errorf("%s: want a new one after that, have %v", name, err)
		}
	}
}

func TestChangesAreToldInOrderToWhoMayUseTheBreakers(t *testing.T) {
	t.Parallel()
	for name, policy := range policies() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var breakers *circuitbreaker.Breakers
				var call func(context.Context) error
				var all []circuitbreaker.Change
				var refusals int
				down := true
				breakers = newBreakers(t, policy, circuitbreaker.OnRefusal(func(_ context.Context, id circuitbreaker.ID) {
					if id.Operation != "quarry/Read" {
						t.Errorf("want the ID, have %+v", id)
					}
					refusals++
				}), circuitbreaker.OnChange(func(c circuitbreaker.Change) {
					all = append(all, c)
					if len(breakers.Status()) != 1 {
						t.Error("want a status")
					}
					_ = call(t.Context())
				}))
				call = serves(t, readSpec, breakers.Middleware, func(context.Context) error {
					if down {
						return errFails
					}
					return nil
				})
				openedBy(t.Context(), call)
				<-time.After(2 * time.Minute)
				openedBy(t.Context(), call)
				down = false
				for range 1000 {
					<-time.After(200 * time.Millisecond)
					_ = call(t.Context())
				}
				state := circuitbreaker.Closed
				for _, c := range all {
					if c.From != state || c.To == c.From || c.ID != (circuitbreaker.ID{Operation: "quarry/Read"}) {
						t.Fatalf("want a change from %v, have %v", state, all)
					}
					state = c.To
				}
				if len(all) < 3 || state != circuitbreaker.Closed {
					t.Errorf("want it to have opened and closed, have %v", all)
				}
				if s := breakers.Status()[0]; uint64(refusals) != s.Refused || refusals == 0 {
					t.Errorf("want as many refusals told as counted, have %d and %d", refusals, s.Refused)
				}
				runtime.KeepAlive(call)
			})
		})
	}
}

func TestBreakersAreSafeForConcurrentUse(t *testing.T) {
	t.Parallel()
	for name, policy := range policies() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var mu sync.Mutex
			states := map[circuitbreaker.ID]circuitbreaker.State{}
			breakers := newBreakers(t, policy, circuitbreaker.Key(tenantOf), circuitbreaker.MaxKeys(100), circuitbreaker.OnChange(func(c circuitbreaker.Change) {
				mu.Lock()
				defer mu.Unlock()
				if states[c.ID] != c.From {
					t.Errorf("%v: want a change from %v, have %v", c.ID, states[c.ID], c)
				}
				states[c.ID] = c.To
			}))
			kept := serves(t, readSpec, breakers.Instance("a"), always(nil)) // so that the breakers are not forgotten between two of those below
			defer runtime.KeepAlive(kept)
			var group sync.WaitGroup
			for g := range 4 {
				group.Go(func() {
					call := serves(t, readSpec, breakers.Instance("a"), func(ctx context.Context) error {
						if tenantOf(ctx, nil) == "1" {
							return errFails
						}
						return nil
					})
					for i := range 2000 {
						_ = call(of(t.Context(), strconv.Itoa(i%4)))
						if i%100 == g {
							breakers.Status()
						}
					}
				})
			}
			group.Wait()
		})
	}
}
