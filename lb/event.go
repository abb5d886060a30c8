package lb

import "github.com/ashlar-go/ashlar/sd"

// Event is something that has happened to a pool, for logs and metrics.
type Event struct {
	Kind     EventKind
	Instance sd.Instance // that it happened to; none for the registry
	Err      error       // the reason of DialFailed, Lost, Ejected and RegistryFailed, and of Closed where closing failed
	InFlight int         // calls that its client still had when it was Closed, since they took longer than PoolDrain allows
}

// EventKind says what has happened.
type EventKind uint8

// The kinds of events.
const (
	Connected      EventKind = iota + 1 // The instance was dialled, and can be picked.
	DialFailed                          // It could not be dialled, and will be again.
	Lost                                // Calls do not reach it any more, and it is dialled again.
	Ejected                             // It fails, and is not picked for a while.
	Returned                            // That is over.
	Departed                            // It has left the set, or was lost, and gets no more calls by the client that it has had.
	Closed                              // Its client is closed.
	RegistryFailed                      // The set stays what it is until the registry is back.
	RegistryBack                        // A set has come after that.
)

// String returns "connected", "dial failed" and so on.
func (k EventKind) String() string {
	names := [...]string{
		Connected: "connected", DialFailed: "dial failed", Lost: "lost", Ejected: "ejected", Returned: "returned", Departed: "departed",
		Closed: "closed", RegistryFailed: "registry failed", RegistryBack: "registry back",
	}
	if int(k) < len(names) && names[k] != "" {
		return names[k]
	}
	return "unknown"
}
