package grpctransport

import (
	"net"

	spb "google.golang.org/genproto/googleapis/rpc/status"

	"github.com/ashlar-go/ashlar/status"
)

// Wire is what goes over the wire of an error.
func Wire(e *status.Error, limit int) *spb.Status { return wire(e, limit).Proto() }

// Unwire is what a client makes of it.
func Unwire(p *spb.Status) *status.Error { return unwire(p) }

// CheckField refuses what gRPC cannot carry.
func CheckField(key string, values []string) error { return checkField(key, values) }

// Cost is how much of a trailer p takes.
func Cost(p *spb.Status, size int) int {
	if len(p.GetDetails()) == 0 {
		return percentSize(p.GetMessage())
	}
	return percentSize(p.GetMessage()) + base64Size(size)
}

// AddressBook remembers how addresses are written.
type AddressBook struct{ book addressBook }

// Text is how a is written.
func (b *AddressBook) Text(a net.Addr) string { return b.book.text(a) }
