package oauth2auth

import (
	"errors"
	"sync"
	"time"
)

var errStays = errors.New("a question or a function that was given does not return although its time is up")

// waitFor waits for what was told to end, and not for ever: it may be code that is not ours and does not heed its context.
func waitFor(done *sync.WaitGroup, most time.Duration) error {
	over := make(chan struct{})
	go func() {
		done.Wait()
		close(over)
	}()
	timer := time.NewTimer(most)
	defer timer.Stop()
	select {
	case <-over:
		return nil
	case <-timer.C:
		return errStays
	}
}
