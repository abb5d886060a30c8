package lb

import (
	"fmt"
	"sync"
	"time"
)

// The defaults of PoolRetryBudget.
const (
	DefaultRetryRatio = 0.2 // retries for each call
	DefaultRetryFloor = 10  // retries a second
)

const (
	budgetEvery  = 16 // of the calls of an instance, one of so many is noted, for all of them
	budgetWindow = 2 * time.Second
	budgetSlots  = 10
	budgetSlot   = budgetWindow / budgetSlots
)

// PoolRetryBudget limits how much load retries and hedges add, over all endpoints of the pool: in any two seconds there are at most
// ratio of them for each call, and perSecond of them each second besides, for pools with few calls. Where the budget is spent, a
// call that fails is not tried again. What was not sent (transport.ErrNotSent) was no load for anybody, and is tried again for
// nothing. Ratio is from 0 to 1; perSecond is 0, or 1 and more. The defaults are DefaultRetryRatio and DefaultRetryFloor.
//
// Without it a service that fails gets the more load the worse it does, three times as much by three attempts: Beyer and others, "Site
// Reliability Engineering" (2016), chapters 21 and 22. The form, a share of the calls of the last seconds and a floor, is that of
// Finagle's RetryBudget (https://twitter.github.io/finagle/guide/Clients.html#retries).
func PoolRetryBudget(ratio, perSecond float64) PoolOption {
	return func(c *poolConfig) error {
		if !(perSecond == 0 || perSecond >= 1) || !(ratio >= 0 && ratio <= 1) {
			return fmt.Errorf("PoolRetryBudget(%v, %v): want 0 to 1, and 0 or 1 and more", ratio, perSecond)
		}
		c.retryRatio, c.retryFloor = ratio, perSecond
		return nil
	}
}

// BudgetStatus is what became of the retry budget of a pool.
type BudgetStatus struct {
	Left    float64 // retries that may be made now
	Retries uint64  // retries and hedges since the pool was made
	Refused uint64  // those that were not made since nothing was left
}

// Budget returns the state of the retry budget.
func (p *Pool[C]) Budget() BudgetStatus { return p.budget.status(p.clock.Now()) }

// budget is what retries may add to the calls of the last budgetWindow.
type budget struct {
	ratio, floor float64 // floor is for the whole window

	mu     sync.Mutex
	slots  [budgetSlots]struct{ begun, spent int } // attempts of all kinds, and retries among them
	now    int64                                   // the number of the newest slot
	counts BudgetStatus
}

func newBudget(c *poolConfig) *budget {
	return &budget{ratio: c.retryRatio, floor: c.retryFloor * budgetWindow.Seconds()}
}

// earn notes that budgetEvery attempts have begun.
func (b *budget) earn(now time.Duration) {
	b.mu.Lock()
	b.slots[b.slot(now)].begun += budgetEvery
	b.mu.Unlock()
}

// spend says whether a retry may be made, and counts it.
func (b *budget) spend(now time.Duration) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	slot := b.slot(now)
	if b.left() < 1 {
		b.counts.Refused++
		return false
	}
	b.counts.Retries++
	b.slots[slot].spent++
	return true
}

func (b *budget) status(now time.Duration) BudgetStatus {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.slot(now)
	s := b.counts
	s.Left = b.left()
	return s
}

// slot returns the index of the slot of now, and forgets what is older than the window.
func (b *budget) slot(now time.Duration) int {
	number := max(int64(now/budgetSlot), b.now)
	for n := max(b.now, number-budgetSlots) + 1; n <= number; n++ {
		b.slots[n%budgetSlots].begun, b.slots[n%budgetSlots].spent = 0, 0
	}
	b.now = number
	return int(number % budgetSlots)
}

func (b *budget) left() float64 {
	begun, spent := 0, 0
	for _, s := range b.slots {
		begun, spent = begun+s.begun, spent+s.spent
	}
	calls := max(0, begun-spent)
	return max(0, b.floor+b.ratio*float64(calls)-float64(spent))
}
