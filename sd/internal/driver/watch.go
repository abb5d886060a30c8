// Package driver holds what the drivers of registries have in common: the loop of a watch, the life of a registration, and the form of an
// instance in a store of keys and values.
package driver

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/ashlar-go/ashlar/sd"
)

// Read reads a registry until ctx ends, feed.Set returns false or something fails. It gives feed the set as soon as it is known and
// after each change; what changed meanwhile, while feed.Set was busy, it gives at once as one. A nil error means that it is to be
// called again, soon when it has given a set.
type Read func(ctx context.Context, feed *Feed) error

// Watch is Instancer.Watch by a Read, which is called again after an error, with growing delays, until ctx ends. The delays begin anew
// after a Read that has lasted for longer than the longest of them: one that gives a set and fails at once does not last.
func Watch(ctx context.Context, read Read) iter.Seq2[[]sd.Instance, error] {
	return func(yield func([]sd.Instance, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		feed := &Feed{ctx: ctx, yield: yield}
		var delay Backoff
		for ctx.Err() == nil {
			began := time.Now()
			feed.given = false
			err := read(ctx, feed)
			if feed.left || ctx.Err() != nil || err != nil && !feed.fail(err) {
				return
			}
			if time.Since(began) > maxDelay || err == nil && feed.given {
				delay.Reset()
			}
			delay.Wait(ctx)
		}
	}
}

// Feed takes the sets that a Read finds.
type Feed struct {
	ctx   context.Context
	yield func([]sd.Instance, error) bool
	left  bool // yield has returned false
	given bool // a set came since the Read was called

	last    []sd.Instance
	known   bool              // last is in force, and nothing but it was yielded since
	invalid map[string]string // what was said of entries that are still invalid
}

// Set yields the set unless it equals the last, and before it the errors of entries that are not instances, unless they are those of the
// last time. Of instances with one ID the first remains, and their order should be the same each time; else the order does not matter:
// of instances with one address that with the lowest ID remains. It returns false when the Read is to end. It keeps the maps and slices
// of the instances, and not instances itself.
func (f *Feed) Set(instances []sd.Instance, invalid ...*sd.InvalidError) bool {
	f.given = true
	reported := make(map[string]string, len(invalid))
	for _, e := range invalid {
		text := e.Err.Error()
		if reported[e.Entry] = text; f.invalid[e.Entry] != text && !f.fail(e) {
			return false
		}
	}
	f.invalid = reported
	set := sd.Normalize(slices.SortedStableFunc(slices.Values(instances), byID))
	if !f.known || !sd.Same(f.last, set) {
		f.last, f.known = set, true
		if f.left || f.ctx.Err() != nil {
			return false
		}
		f.left = !f.yield(set, nil)
	}
	return !f.left && f.ctx.Err() == nil
}

// byID compares the IDs, which are the addresses by default.
func byID(a, b sd.Instance) int {
	return strings.Compare(cmp.Or(a.ID, a.Address), cmp.Or(b.ID, b.Address))
}

func (f *Feed) fail(err error) bool {
	f.known = false
	if f.left || over(f.ctx) {
		return false
	}
	f.left = !f.yield(nil, err)
	return !f.left
}

// over says whether ctx has ended, also when its deadline has come and it does not know yet: a connection with the same deadline may.
func over(ctx context.Context) bool {
	if deadline, ok := ctx.Deadline(); ok && !time.Now().Before(deadline) {
		<-ctx.Done()
	}
	return ctx.Err() != nil
}
