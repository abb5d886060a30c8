package natstransport

import (
	"encoding/binary"
	"sync"

	"github.com/ashlar-go/ashlar/status"
)

// maxBatch is how many bytes of small messages go out together.
const maxBatch = 16 << 10

// batch are messages that are about to go out. The first one starts a goroutine that publishes them; those that come until it runs
// go out with it. So one message that is alone is not delayed, and of many each costs a part of what publishing costs.
type batch struct {
	data    []byte // headroom, and each message after its length
	count   int
	last    int  // bytes of the message that was added last
	pending bool // the goroutine has not run yet
	running sync.WaitGroup
}

// add adds the message that data holds after its headroom.
func (b *batch) add(f *flow, peer string, data []byte) error {
	limit := int(min(maxBatch, f.payload/2))
	f.lively.Store(true)
	f.sending.Lock()
	defer f.sending.Unlock()
	message := data[headroom:]
	if len(message) > limit/2 {
		if err := b.publish(f, peer); err != nil {
			return err
		}
		return f.transmit(peer, putPrefix(data, headroom, messageFrame, f.sent+1))
	}
	if b.count == 0 {
		var room [headroom]byte
		b.data = append(b.data[:0], room[:]...)
	}
	b.data = binary.AppendUvarint(b.data, uint64(len(message)))
	b.data = append(b.data, message...)
	b.count++
	b.last = len(message)
	if len(b.data) >= limit {
		return b.publish(f, peer)
	}
	if !b.pending {
		b.pending = true
		b.running.Go(func() { b.flush(f, peer) })
	}
	return nil
}

// flush is the goroutine.
func (b *batch) flush(f *flow, peer string) {
	f.sending.Lock()
	b.pending = false
	err := b.publish(f, peer)
	f.sending.Unlock()
	if err != nil {
		f.breakOff(status.From(err))
	}
}

// publish publishes what there is.
func (b *batch) publish(f *flow, peer string) error {
	if b.count == 0 {
		return nil
	}
	kind, from := byte(batchFrame), headroom
	if b.count == 1 {
		kind, from = messageFrame, len(b.data)-b.last
	}
	b.count = 0
	return f.transmit(peer, putPrefix(b.data, from, kind, f.sent+1))
}
