package workqueue

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/nats-io/nats.go/jetstream"
)

// check fails, with all that is to be changed, for a consumer that the server cannot work with.
func (s *Server) check(ctx context.Context, js jetstream.JetStream, info *jetstream.ConsumerInfo) error {
	c := &info.Config
	var all []error
	refuse := func(wrong bool, format string, args ...any) {
		if wrong {
			all = append(all, fmt.Errorf(format, args...))
		}
	}
	refuse(c.Durable == "", "it is not durable: set Durable, so that it outlives its workers")
	refuse(c.DeliverSubject != "", "it pushes to %q: remove DeliverSubject, a worker pulls", c.DeliverSubject)
	refuse(c.AckPolicy != jetstream.AckExplicitPolicy, "AckPolicy is %v: set it to explicit", c.AckPolicy)
	refuse(c.MaxDeliver > 0, "MaxDeliver is %d: set it to -1, since the worker counts deliveries itself (ServerMaxDeliver is %d) and "+
		"a message past the consumer's limit would be left behind", c.MaxDeliver, s.maxDeliver)
	refuse(len(c.BackOff) > 0, "BackOff is set: remove it, it replaces AckWait; the worker has ServerBackoff")
	refuse(c.HeadersOnly, "HeadersOnly is set: remove it, there would be nothing to decode")
	refuse(len(c.PriorityGroups) > 0, "PriorityGroups are set: remove them, a worker joins none")
	refuse(c.AckWait < MinAckWait, "AckWait is %v: set it to %v or more", c.AckWait, MinAckWait)
	refuse(s.ackWait > 0 && c.AckWait != s.ackWait, "AckWait is %v: set it to %v, or change ServerAckWait", c.AckWait, s.ackWait)
	refuse(s.ordered && c.MaxAckPending != 1, "MaxAckPending is %d: set it to 1 for ServerOrdered", c.MaxAckPending)
	refuse(c.MaxAckPending > 0 && c.MaxAckPending < s.concurrency,
		"MaxAckPending is %d: set it to %d, or lower ServerConcurrency(%d)", c.MaxAckPending, s.maxAckPending, s.concurrency)
	refuse(c.MaxRequestBatch > 0 && c.MaxRequestBatch < s.concurrency,
		"MaxRequestBatch is %d: remove it, or lower ServerConcurrency(%d)", c.MaxRequestBatch, s.concurrency)
	refuse(c.MaxRequestExpires > 0 && c.MaxRequestExpires < pullExpires,
		"MaxRequestExpires is %v: remove it, or set it to %v or more", c.MaxRequestExpires, pullExpires)
	for _, to := range []struct{ option, subject string }{{"ServerDeadLetter", s.deadLetter}, {"ServerResults", s.results}} {
		option, subject := to.option, to.subject
		if subject == "" {
			continue
		}
		stream, err := js.StreamNameBySubject(ctx, subject)
		switch {
		case errors.Is(err, jetstream.ErrStreamNotFound):
			refuse(true, "%s(%q): no stream takes that subject", option, subject)
		case err != nil:
			return fmt.Errorf("looking for the stream of %s(%q): %w", option, subject, err)
		default:
			refuse(stream == info.Stream && delivers(c, subject),
				"%s(%q): the consumer would deliver that again; set its FilterSubject", option, subject)
		}
	}
	return errors.Join(all...)
}

// delivers reports whether the consumer delivers what its stream takes under the subject.
func delivers(c *jetstream.ConsumerConfig, subject string) bool {
	filters := c.FilterSubjects
	if c.FilterSubject != "" {
		filters = append(filters, c.FilterSubject)
	}
	for _, filter := range filters {
		if covers(filter, subject) {
			return true
		}
	}
	return len(filters) == 0
}

// covers reports whether a subject, which has no wildcards, matches the filter.
func covers(filter, subject string) bool {
	for filter != "" {
		var want, have string
		want, filter, _ = strings.Cut(filter, ".")
		if want == ">" {
			return subject != ""
		}
		if have, subject, _ = strings.Cut(subject, "."); have == "" || want != "*" && want != have {
			return false
		}
	}
	return subject == ""
}
