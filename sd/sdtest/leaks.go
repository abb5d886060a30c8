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
		soon  = 20 * time.Millisecond // and later and later
		share = 4                     // connections that a client keeps for the next watch are not many
	)
	timer, again := time.NewTimer(c.h.Limit), time.NewTimer(0)
	defer timer.Stop()
	defer again.Stop()
	for wait := soon; ; wait *= 2 {
		select {
		case <-again.C:
			again.Reset(wait)
		case <-timer.C:
			have, stacks := goroutines(c.service)
			return fmt.Errorf("%d watches have ended, and of their goroutines %d are left:\n%s", watches, have, stacks)
		}
		if have, _ := goroutines(c.service); have <= watches/share {
			return nil
		}
	}
}
