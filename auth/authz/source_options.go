package authz

import (
	"fmt"
	"time"

	"github.com/ashlar-go/ashlar/internal/option"
)

// DefaultInterval is how often the file of a Source is looked at. What is the same at two looks in a row is taken, which is within twice of
// this.
const DefaultInterval = 150 * time.Millisecond

const (
	minInterval = 10 * time.Millisecond
	maxInterval = time.Hour
)

// SourceOption sets up a Source.
type SourceOption func(*sourceConfig) error

type sourceConfig struct {
	interval time.Duration
	onEvent  []func(Event)
}

// SourceInterval sets how often the file is looked at, 10 ms to an hour. The default is DefaultInterval. It replaces an earlier one.
func SourceInterval(every time.Duration) SourceOption {
	return func(c *sourceConfig) error {
		c.interval = every
		return option.Within("SourceInterval", every, minInterval, maxInterval)
	}
}

// SourceOnEvent adds a function that is told what became of the file, one call at a time, for a log or a metric. It holds up the next look
// at the file, and no call. Of the source it may use Status, Rules and nothing else. A panic of it is dropped.
func SourceOnEvent(f func(Event)) SourceOption {
	return func(c *sourceConfig) error {
		c.onEvent = append(c.onEvent, f)
		return option.RefuseNil("SourceOnEvent", []func(Event){f})
	}
}

// EventKind says what an Event is about.
type EventKind int

const (
	// Loaded rules are in use from now on.
	Loaded EventKind = iota + 1
	// Failed is a file that is not taken; the rules from before stay in use. It is told once for each failure, and not again while that lasts.
	Failed
)

// String returns "loaded" or "failed".
func (k EventKind) String() string {
	switch k {
	case Loaded:
		return "loaded"
	case Failed:
		return "failed"
	}
	return fmt.Sprintf("EventKind(%d)", int(k))
}

// Event tells what became of the file of a Source.
type Event struct {
	Kind EventKind
	// Err is what is wrong; nil for Loaded. It names the file.
	Err error
	// Status is that of the source after it.
	Status Status
}

// String returns a line for a log.
func (e Event) String() string {
	text := "authz: " + e.Kind.String() + " " + e.Status.File
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Status is what a Source has in use, for pages of health and for metrics.
type Status struct {
	// File is the name of the file.
	File string
	// Rules is how many there are.
	Rules int
	// Loaded is when they were taken, and Reloads how often that was since the source was made.
	Loaded  time.Time
	Reloads int
	// Err says why a file that has changed is not taken; nil when the rules in use are those of the file.
	Err error
}
