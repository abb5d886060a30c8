package natskv

import (
	"context"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/ashlar-go/ashlar/sd/internal/driver"
)

const (
	// forgetAfter is when JetStream forgets a consumer that nobody asks any more.
	forgetAfter = 10 * time.Second
	// heartbeat is how often NATS says that a request for messages still waits for them. It is ended by NATS alone, after
	// jetstream.DefaultExpires, since what is on its way to one that was given up is lost.
	heartbeat = time.Second
	// most is how many messages one request is for.
	most = 256
	// busy is for how long a consumer of sets may be busy before all entries are read from the beginning, which is cheaper than what
	// has happened meanwhile, and is what is newest.
	busy = time.Second
)

// reading is one Read of a watch: a consumer that is read as long as all goes well. At the least doubt another one begins at the beginning.
//
// It is not jetstream.KeyWatcher, since that resumes by sequences, which mean something else in a bucket that was made anew, takes
// 10 seconds to notice that its consumer is lost, and waits for JetStream at its end.
type reading struct {
	*Instancer

	entries  *entries
	feed     *driver.Feed
	stream   jetstream.Stream
	leader   string    // of the servers that keep the stream, and since when
	looked   time.Time // when that was looked at
	consumer jetstream.Consumer
	status   <-chan nats.Status
	last     uint64 // the newest message of the service when the watch began, as the leader knows it, 0 for none
	reached  uint64 // the newest message that has come
	seen     uint64 // the last number that the consumer has given a message
	missed   bool   // a message was lost on its way
	complete bool   // all entries are known
}

func (i *Instancer) read(ctx context.Context, e *entries, feed *driver.Feed) error {
	nc := i.js.Conn()
	status := nc.StatusChanged(nats.DISCONNECTED, nats.RECONNECTING, nats.CLOSED)
	defer nc.RemoveStatusListener(status)
	stream, err := i.open(ctx)
	if err != nil {
		return err
	}
	r := &reading{Instancer: i, entries: e, feed: feed, status: status, stream: stream, leader: leader(stream.CachedInfo())}
	if err := r.begin(ctx); err != nil {
		return i.failed("beginning to watch it", err)
	}
	for ctx.Err() == nil {
		if more, err := r.fetch(ctx); err != nil {
			return i.failed("watching it", err)
		} else if !more {
			return nil
		}
	}
	return nil
}

// begin makes the consumer.
func (r *reading) begin(ctx context.Context) (err error) {
	ctx, cancel := context.WithTimeout(ctx, apiLimit)
	defer cancel()
	r.consumer, err = r.stream.CreateConsumer(ctx, jetstream.ConsumerConfig{
		Description:   "watches the instances of " + r.service,
		FilterSubject: r.prefix() + "*", DeliverPolicy: jetstream.DeliverLastPerSubjectPolicy, AckPolicy: jetstream.AckNonePolicy,
		InactiveThreshold: forgetAfter, MemoryStorage: true, Replicas: 1,
	})
	if err != nil {
		return err
	}
	r.entries.begin(time.Now())
	return r.measure(ctx)
}

// measure asks the leader of the bucket which message is the newest. When that has come, all entries are known: the consumer may be at a
// server that has not heard of the newest yet.
func (r *reading) measure(ctx context.Context) (err error) {
	if r.last, err = r.newest(ctx); err == nil && r.last <= r.reached {
		r.finish()
	}
	return err
}

// finish is called when all entries are known.
func (r *reading) finish() {
	r.complete, r.entries.changed = true, true
	r.entries.end(time.Now())
}

// fetch takes messages as they come, for as long as one request waits. It reports false when another Read is to begin, or none.
func (r *reading) fetch(ctx context.Context) (more bool, err error) {
	if more := r.tell(); !more {
		return false, nil
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	batch, err := r.consumer.Fetch(most, jetstream.FetchContext(ctx), jetstream.FetchHeartbeat(heartbeat))
	if err != nil {
		return false, err
	}
	tick := time.NewTicker(heartbeat)
	defer tick.Stop()
	for messages, open := batch.Messages(), true; open; {
		select {
		case m, ok := <-messages:
			if open = ok; !open {
				break
			}
			if open, err = r.take(ctx, m, messages); err != nil {
				return false, err
			}
		case <-tick.C:
			if err := r.tick(ctx); err != nil {
				return false, err
			}
		case s := <-r.status:
			return false, lost(s)
		case <-ctx.Done():
			return false, nil
		}
		if more := !r.missed && r.tell(); !more {
			return false, nil
		}
	}
	if err := batch.Error(); err != nil {
		return false, err
	}
	return r.whole(ctx)
}

// tick does what is to be done now and then.
func (r *reading) tick(ctx context.Context) error {
	if r.complete {
		r.entries.end(time.Now())
		return nil
	}
	return r.measure(ctx) // the message that it waits for may be gone
}

// tell gives the set to the feed, when it is known. It reports false when another Read is to begin, or none.
func (r *reading) tell() (more bool) {
	if !r.complete {
		return true
	}
	began := time.Now()
	return r.entries.tell(r.feed) && time.Since(began) < busy
}

// take takes a message and those that are there already, so that they make one set. It reports false when there are no more.
func (r *reading) take(ctx context.Context, m jetstream.Msg, more <-chan jetstream.Msg) (open bool, err error) {
	for {
		metadata, err := m.Metadata()
		if err != nil {
			return false, err
		}
		if r.seen++; metadata.Sequence.Consumer != r.seen {
			r.missed = true
			return false, nil
		}
		what := interpret(m.Headers(), m.Data())
		if what.expired && r.complete {
			if err := r.lead(ctx); err != nil {
				return false, err
			}
		}
		r.entries.take(strings.TrimPrefix(m.Subject(), subjectPrefix+r.bucket+"."), what, time.Now())
		r.reached = metadata.Sequence.Stream
		if !r.complete && r.reached >= r.last {
			r.finish()
		}
		select {
		case next, ok := <-more:
			if !ok {
				return false, nil
			}
			m = next
		default:
			return true, nil
		}
	}
}

// lead looks whether the servers of the bucket have chosen another leader. Until they had, nobody could write, and entries have expired for
// that alone.
func (r *reading) lead(ctx context.Context) error {
	if time.Since(r.looked) < heartbeat {
		return nil
	}
	limited, cancel := context.WithTimeout(ctx, apiLimit)
	defer cancel()
	info, err := r.stream.Info(limited)
	if err != nil {
		return err
	}
	r.looked = time.Now()
	if now := leader(info); now != r.leader {
		r.leader = now
		r.entries.excuse(time.Now())
	}
	return nil
}

func leader(info *jetstream.StreamInfo) string {
	if info.Cluster == nil || info.Cluster.LeaderSince == nil {
		return ""
	}
	return info.Cluster.Leader + info.Cluster.LeaderSince.String() // it may be the same again
}

// whole reports whether all has come that was sent, while nothing is on its way.
func (r *reading) whole(ctx context.Context) (bool, error) {
	limited, cancel := context.WithTimeout(ctx, apiLimit)
	defer cancel()
	info, err := r.consumer.Info(limited)
	if ctx.Err() != nil || err != nil {
		return false, err
	}
	return info.Delivered.Consumer == r.seen, nil
}
