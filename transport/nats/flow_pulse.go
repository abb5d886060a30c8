package natstransport

import (
	"time"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
)

const (
	// DefaultHeartbeat is how often each end of a stream gives a sign of life when it has nothing else to send.
	DefaultHeartbeat = 5 * time.Second
	minHeartbeat     = 10 * time.Millisecond
	maxHeartbeat     = time.Hour
	// missing is how many heartbeats of the other end may be missing before it counts as dead.
	missing = 3
)

var (
	errClientDead = status.New(status.Canceled, "the client does not answer")
	errServerDead = status.New(status.Unavailable, "the server does not answer")
)

// pulse gives signs of life, and misses those of the other end. Its fields are held by the lock of the flow.
type pulse struct {
	timer     *time.Timer
	peerEvery time.Duration // between two frames of the other end
	heard     uint64        // frames
	seen      uint64        // heard, at the last look
	lastHeard time.Time     // when that was last found to have grown
	due       time.Time     // of the next look
}

// start starts the pulse. PeerEvery is what the other end has told, and this end's own until it has.
func (f *flow) start(peerEvery time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.pulse.peerEvery = peerEvery
	f.pulse.lastHeard = time.Now()
	f.pulse.due = f.pulse.lastHeard.Add(f.every / 2)
	f.pulse.timer = time.AfterFunc(f.every/2, f.beat)
}

// beat is called twice in each interval. By how much it is late this end stood still, and could not have heard anything.
func (f *flow) beat() {
	f.mu.Lock()
	p := &f.pulse
	if f.finished || f.err != nil {
		f.mu.Unlock()
		return
	}
	now := time.Now()
	p.lastHeard = p.lastHeard.Add(max(0, now.Sub(p.due)))
	if p.heard != p.seen {
		p.seen, p.lastHeard = p.heard, now
	}
	dead := now.Sub(p.lastHeard) > missing*p.peerEvery
	peer := f.peer
	f.mu.Unlock()
	if dead {
		err := errClientDead
		if f.side == endpoint.Client {
			err = errServerDead
		}
		f.breakOff(err)
		return
	}
	if !f.lively.Swap(false) && peer != "" {
		_ = f.number(peer, heartbeatFrame, make([]byte, headroom), nil) // a lost connection is told by others
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.finished {
		p.due = time.Now().Add(f.every / 2)
		p.timer.Reset(f.every / 2)
	}
}

// stop ends the pulse. A beat may still be running.
func (p *pulse) stop() {
	if p.timer != nil {
		p.timer.Stop()
	}
}
