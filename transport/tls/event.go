package tlsconfig

import (
	"fmt"
	"strings"
)

// EventKind says what an Event is about.
type EventKind int

const (
	// Loaded files are in use from now on.
	Loaded EventKind = iota + 1
	// Failed files are not taken; those from before stay in use. It is told once for each failure, and not again while that lasts.
	Failed
	// Warned is about files that are in use, and should not be as they are: a private key that everybody on the machine may read, or
	// others than its owner may write, a certificate that has ended while no other came, a file of roots that have all ended.
	Warned
)

// String returns "loaded", "failed" or "warned".
func (k EventKind) String() string {
	switch k {
	case Loaded:
		return "loaded"
	case Failed:
		return "failed"
	case Warned:
		return "warned"
	}
	return fmt.Sprintf("EventKind(%d)", int(k))
}

// Event tells what became of the files of a Source.
type Event struct {
	Kind EventKind
	// Files are those it is about: certificate and key, or the roots.
	Files []string
	// Err is what is wrong; nil for Loaded. It names the file, and never holds what is in it.
	Err error
	// Status is that of the source after it.
	Status Status
}

// String returns a line for a log.
func (e Event) String() string {
	text := "tls: " + e.Kind.String() + " " + strings.Join(e.Files, ", ")
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}
