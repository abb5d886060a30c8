package natskv

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/ashlar-go/ashlar/sd"
	"github.com/ashlar-go/ashlar/sd/internal/driver"
)

// registration is one entry that is kept.
type registration struct {
	*Registrar

	subject string
	data    []byte
	owner   string           // of no other registration
	stream  jetstream.Stream // the bucket, once it is open

	sent     bool   // something of it may be there
	written  bool   // it was there
	known    bool   // last is what is there, as far as is known
	last     uint64 // the sequence of the newest message of the subject, 0 for none
	replaced bool   // it was said that another registration has replaced it
}

// beats is how often an entry is written within its time to live.
const beats = 3

// Hold implements driver.Registration.
func (g *registration) Hold(ctx context.Context, held func()) error {
	nc := g.js.Conn()
	status := nc.StatusChanged(nats.DISCONNECTED, nats.RECONNECTING, nats.CLOSED)
	defer nc.RemoveStatusListener(status)
	if err := g.openOrCreate(ctx); err != nil {
		return err
	}
	beat := time.NewTicker(g.ttl / beats)
	defer beat.Stop()
	for {
		err := g.write(ctx)
		again := errors.Is(err, sd.ErrReplaced) && g.replaced // which need not be said twice
		g.replaced = errors.Is(err, sd.ErrReplaced)
		switch {
		case err == nil:
			held()
		case !again:
			g.doubt(err)
			return g.failed("writing an entry", err)
		}
		select {
		case <-beat.C:
		case s := <-status:
			return g.failed("keeping an entry", lost(s))
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// openOrCreate opens the bucket unless it is known: while servers look for a leader, they take entries sooner than they tell of a bucket.
func (g *registration) openOrCreate(ctx context.Context) (err error) {
	if g.stream != nil {
		return nil
	}
	g.stream, err = g.open(ctx)
	if !errors.Is(err, jetstream.ErrBucketNotFound) || g.create == nil {
		return err
	}
	limited, cancel := context.WithTimeout(ctx, apiLimit)
	defer cancel()
	config := *g.create
	config.Bucket = g.bucket
	if _, err := g.js.CreateKeyValue(limited, config); err != nil && !errors.Is(err, jetstream.ErrBucketExists) {
		return g.failed("making it", err)
	}
	g.stream, err = g.open(ctx)
	return err
}

const (
	// attempts is how often a write is tried that somebody else was faster than.
	attempts = 8
	// pause is the time between two of them, in which servers of a cluster learn what others know already.
	pause = 50 * time.Millisecond
)

// write writes the entry, after what is known to be there, and otherwise after what is found there.
func (g *registration) write(ctx context.Context) error {
	header := nats.Header{headerRegistration: {g.owner}, jetstream.MsgTTLHeader: {g.ttl.String()}}
	return g.follow(ctx, func(found message, exists bool) error {
		if exists && !found.removed && found.owner != g.owner && g.written {
			return sd.ErrReplaced
		}
		return nil
	}, func(ctx context.Context) error {
		g.sent = true
		err := g.publish(ctx, header, g.data)
		g.written = g.written || err == nil
		return err
	})
}

// Remove implements driver.Registration.
func (g *registration) Remove(ctx context.Context) error {
	if !g.sent {
		return nil
	}
	if g.js.Conn().IsClosed() {
		return g.failed("removing an entry", fmt.Errorf("%w: %w", driver.ErrClosed, nats.ErrConnectionClosed))
	}
	if g.stream == nil {
		var err error
		if g.stream, err = g.open(ctx); errors.Is(err, jetstream.ErrBucketNotFound) {
			return nil
		} else if err != nil {
			return err
		}
	}
	marker := nats.Header{
		headerOperation: {operationPurge}, jetstream.MsgRollup: {jetstream.MsgRollupSubject},
		jetstream.MsgTTLHeader: {g.stream.CachedInfo().Config.SubjectDeleteMarkerTTL.String()},
	}
	err := g.follow(ctx, func(found message, exists bool) error {
		if !exists || found.removed || found.owner != g.owner {
			return errGone
		}
		return nil
	}, func(ctx context.Context) error { return g.publish(ctx, marker, nil) })
	switch {
	case err == nil || errors.Is(err, errGone):
		g.sent = false
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	}
	g.doubt(err)
	return g.failed("removing an entry", err)
}

// doubt lets the bucket be opened again after an error that says that it may be another now, or none.
func (g *registration) doubt(err error) {
	if !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, errLost) {
		g.stream = nil
	}
}

var errGone = errors.New("the entry is there no more")

// permission says whether to go on with what was found.
type permission func(found message, exists bool) error

// follow lets do write to the subject, after what is there. Where that is not known it is read, and may says whether to go on.
func (g *registration) follow(ctx context.Context, may permission, do func(context.Context) error) error {
	var err error
	for range attempts {
		if !g.known {
			if err := g.look(ctx, may); err != nil {
				return err
			}
		}
		if err = do(ctx); err == nil {
			return nil
		}
		g.known = false // it may be there or not
		if !conflicts(err) || ctx.Err() != nil {
			return err
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		}
	}
	return err
}

// look finds out what is there.
func (g *registration) look(ctx context.Context, may permission) error {
	limited, cancel := context.WithTimeout(ctx, apiLimit)
	defer cancel()
	found, err := g.stream.GetLastMsgForSubject(limited, g.subject)
	switch {
	case errors.Is(err, jetstream.ErrMsgNotFound):
		g.last = 0
		err = may(message{}, false)
	case err == nil:
		g.last = found.Sequence
		err = may(interpret(found.Header, found.Data), true)
	}
	g.known = err == nil
	return err
}

// publish writes to the subject, if the newest that is there is what is known.
func (g *registration) publish(ctx context.Context, header nats.Header, data []byte) error {
	if err := g.connected(); err != nil { // else it would wait for the connection, and be written at any time
		return err
	}
	limited, cancel := context.WithTimeout(ctx, apiLimit)
	defer cancel()
	ack, err := g.js.PublishMsg(limited, &nats.Msg{Subject: g.upper() + g.subject, Header: maps.Clone(header), Data: data},
		jetstream.WithExpectLastSequencePerSubject(g.last), jetstream.WithRetryAttempts(0))
	if err != nil {
		return err
	}
	g.last = ack.Sequence
	return nil
}

// conflicts says whether the newest that is there is another than was known.
func conflicts(err error) bool {
	var api *jetstream.APIError
	return errors.As(err, &api) && (api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence ||
		api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequenceConstant)
}
