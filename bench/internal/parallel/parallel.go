// Package parallel makes calls, some at a time.
package parallel

import (
	"errors"
	"sync"
	"sync/atomic"
)

// Do calls f n times, atOnce at a time, each time with the number of the goroutine that calls it, from 0. A goroutine whose call fails
// makes no more.
func Do(n, atOnce int, f func(i int) error) error {
	var (
		left  atomic.Int64
		group sync.WaitGroup
		errs  = make([]error, atOnce)
	)
	left.Store(int64(n))
	for i := range atOnce {
		group.Go(func() {
			for errs[i] == nil && left.Add(-1) >= 0 {
				errs[i] = f(i)
			}
		})
	}
	group.Wait()
	return errors.Join(errs...)
}
