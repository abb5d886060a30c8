package loadshed

// Event is something that has happened to a Shedder, for logs and metrics.
type Event struct {
	Kind   EventKind
	Status Status // at that moment
}

// EventKind says what has happened.
type EventKind uint8

// The kinds of events.
const (
	OverloadBegan EventKind = iota + 1 // Calls are refused, or the processor is busy.
	OverloadEnded                      // For a second that has not been so.
)

// String returns "overload began" or "overload ended".
func (k EventKind) String() string {
	switch k {
	case OverloadBegan:
		return "overload began"
	case OverloadEnded:
		return "overload ended"
	}
	return "unknown"
}
