package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/ashlar-go/ashlar/auth"
	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/examples/shop/accounts"
	"github.com/ashlar-go/ashlar/examples/shop/catalog"
	"github.com/ashlar-go/ashlar/examples/shop/orders"
	"github.com/ashlar-go/ashlar/examples/shop/storefront"
	"github.com/ashlar-go/ashlar/status"
)

const (
	maxLoad   = 100_000 // calls a second: more than one machine does
	customers = 16      // calls at a time
)

// drive lets customers browse and buy at the storefront, rate calls a second, until ctx ends. It reports each second, and at
// the end the whole.
func (s *shop) drive(ctx context.Context, rate int, out io.Writer) (err error) {
	config, err := s.certificates.client(operatorID, storefrontID)
	if err != nil {
		return err
	}
	conn, err := s.dialHTTP(s.url, config)
	if err != nil {
		return err
	}
	var sum tally
	shoppers, logins := make([]*storefront.Client, customers), make([]*auth.Credentials, customers)
	for i := range shoppers {
		login, err := accounts.LogIn(conn, accounts.Customers()[i], accounts.CustomerPassword)
		if err != nil {
			return err
		}
		defer login.Close()
		logins[i] = login
		if shoppers[i], err = storefront.NewClient(conn, endpoint.Chain(sum.middleware(), login.Middleware)); err != nil {
			return err
		}
	}

	calls := make(chan struct{}, customers)
	var group sync.WaitGroup
	refused := make(chan error, customers)
	for i, shopper := range shoppers {
		group.Go(func() {
			if err := enter(ctx, logins[i]); err != nil {
				refused <- err
				return
			}
			for range calls {
				visit(ctx, shopper)
			}
		})
	}
	start := time.Now()
	pace(ctx, rate, calls, func() { sum.report(out, time.Since(start)) })
	close(calls)
	group.Wait()
	sum.report(out, time.Since(start))
	select {
	case err := <-refused:
		return err
	default:
		return nil
	}
}

// enter logs somebody in before there is work to do, however busy the machine is. Those who have no time for it do not buy.
func enter(ctx context.Context, login *auth.Credentials) error {
	for ctx.Err() == nil {
		_, err := login.Credential(ctx)
		if code := status.CodeOf(err); code != status.Unavailable && code != status.DeadlineExceeded && code != status.Canceled {
			return err
		}
		select {
		case <-ctx.Done():
		case <-time.After(auth.DefaultPause / 10): //nolint:mnd // it is a guess
		}
	}
	return nil
}

// pace sends rate times a second until ctx ends, and calls each once a second.
func pace(ctx context.Context, rate int, calls chan<- struct{}, each func()) {
	const tick = 10 * time.Millisecond
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	start := time.Now()
	sent, seconds := 0, 0
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		elapsed := time.Since(start)
		for due := int(elapsed.Seconds() * float64(rate)); sent < due; sent++ {
			select {
			case calls <- struct{}{}:
			case <-ctx.Done():
			}
		}
		if int(elapsed.Seconds()) > seconds {
			seconds = int(elapsed.Seconds())
			each()
		}
	}
}

// visit is one call of a customer: mostly looking, sometimes buying. Who is served at closing time is served to the end.
func visit(ctx context.Context, shop *storefront.Client) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), callTimeout)
	defer cancel()
	sku := fmt.Sprintf("CHI-%d", 1001+rand.IntN(60)) //nolint:gosec // which one is of no consequence
	switch n := rand.IntN(10); {                     //nolint:gosec // as above
	case n < 4:
		_, _ = shop.Get(ctx, &catalog.Get{SKU: sku})
	case n < 8:
		_, _ = shop.Find(ctx, &catalog.Find{Category: "stone", Limit: 10})
	default:
		_, _ = shop.Place(ctx, &orders.Place{Lines: []catalog.Line{{SKU: sku, Count: 1}}})
	}
}

// tally counts calls by their outcome.
type tally struct {
	mu        sync.Mutex
	codes     map[string]int
	durations []time.Duration // since the last report
}

// middleware counts on the client's side.
func (t *tally) middleware() endpoint.Middleware {
	return func(_ endpoint.Spec, next endpoint.Handler) endpoint.Handler {
		return func(ctx context.Context, request any) (any, error) {
			start := time.Now()
			response, err := next(ctx, request)
			t.add(time.Since(start), err)
			return response, err
		}
	}
}

func (t *tally) add(d time.Duration, err error) {
	name := "ok"
	if err != nil {
		name = status.CodeOf(err).String()
		if e := status.As(err); e != nil && e.Reason != "" {
			name += "/" + e.Reason
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.codes == nil {
		t.codes = make(map[string]int)
	}
	t.codes[name]++
	t.durations = append(t.durations, d)
}

// report writes what has come of the calls so far, and how long those since the last report took.
func (t *tally) report(out io.Writer, elapsed time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	line := fmt.Appendf(nil, "%5.1fs", elapsed.Seconds())
	for _, name := range slices.Sorted(maps.Keys(t.codes)) {
		line = fmt.Appendf(line, "  %s %d", name, t.codes[name])
	}
	if n := len(t.durations); n > 0 {
		slices.Sort(t.durations)
		line = fmt.Appendf(line, "  p50 %v  p99 %v", t.durations[n/2].Round(time.Microsecond), t.durations[n*99/100].Round(time.Microsecond))
	}
	_, _ = out.Write(append(line, '\n')) // at once, since others write too
	t.durations = t.durations[:0]
}
