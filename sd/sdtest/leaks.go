package sdtest

import (
	"bytes"
	"fmt"
	"runtime/pprof"
	"strconv"
	"strings"
	"time"
)

// goroutines returns how many goroutines there are that the loops of the service have started, and what they do.
func goroutines(service string) (n int, stacks string) {
	var profile bytes.Buffer
	if err := pprof.Lookup("goroutine").WriteTo(&profile, 1); err != nil {
		return 0, err.Error()
	}
	var found []string
	_, stacks, _ = strings.Cut(profile.String(), "\n") // the first line has the total
	for stack := range strings.SplitSeq(stacks, "\n\n") {
		if !strings.Contains(stack, strconv.Quote(label)+":"+strconv.Quote(service)) {
			continue
		}
		count, _, _ := strings.Cut(stack, " @")
		if i, err := strconv.Atoi(count); err == nil {
			n += i
			found = append(found, stack)
		}
	}
	return n, strings.Join(found, "\n\n")
}

// remains waits until the watches of the check, so many of which have ended, have left nothing.
func (c *cell) remains(watches int) error {
	const (
		again = 50 * time.Millisecond
		share = 4 // connections that a client keeps for the next watch are not many
	)
	timer, tick := time.NewTimer(c.h.Limit), time.NewTicker(again)
	defer timer.Stop()
	defer tick.Stop()
	for {
		have, stacks := goroutines(c.service)
		if have <= watches/share {
			return nil
		}
		select {
		case <-tick.C:
		case <-timer.C:
			return fmt.Errorf("%d watches have ended, and of their goroutines %d are left:\n%s", watches, have, stacks)
		}
	}
}
