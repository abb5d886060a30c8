package natsdiscovery

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"
	"github.com/nats-io/nuid"

	"github.com/ashlar-go/ashlar/sd"
)

// announcement answers for one instance, as ADR-32 of NATS says of micro services: on the subjects of PING, INFO and STATS for all
// services, for those of its name, and for itself.
type announcement struct {
	nc      *nats.Conn
	service string
	answers map[string][]byte // by the verb
	gone    []byte

	subjects  []string
	questions chan *nats.Msg
	subs      []*nats.Subscription // once it has begun
	stop      chan struct{}        // closed when it is to end; nil before it has begun
	done      sync.WaitGroup
}

// maxQuestions is how many questions wait for their answers. What comes beyond is not answered: it is asked again.
const maxQuestions = 4 << 10

func newAnnouncement(nc *nats.Conn, service string, instance sd.Instance, since time.Time) (*announcement, error) {
	metadata, err := describe(instance, since)
	if err != nil {
		return nil, err
	}
	identity := micro.ServiceIdentity{Name: service, ID: nuid.Next(), Version: microVersion(instance.Version), Metadata: metadata}
	a := &announcement{nc: nc, service: service, answers: make(map[string][]byte), questions: make(chan *nats.Msg, maxQuestions)}
	if err := a.write(identity, since, instance.String()); err != nil {
		return nil, err
	}
	for _, verb := range []micro.Verb{micro.PingVerb, micro.InfoVerb, micro.StatsVerb} {
		for _, to := range [][2]string{{"", ""}, {service, ""}, {service, identity.ID}} {
			subject, err := micro.ControlSubject(verb, to[0], to[1])
			if err != nil {
				return nil, err
			}
			a.subjects = append(a.subjects, subject)
		}
	}
	return a, nil
}

// write writes the answers.
func (a *announcement) write(identity micro.ServiceIdentity, since time.Time, name string) (err error) {
	most := int64(MaxAnswer)
	if carried := a.nc.MaxPayload(); carried > 0 { // known once there was a connection
		most = min(most, carried)
	}
	answers := map[micro.Verb]any{
		micro.PingVerb: micro.Ping{ServiceIdentity: identity, Type: micro.PingResponseType},
		micro.InfoVerb: micro.Info{
			ServiceIdentity: identity, Type: micro.InfoResponseType, Description: "announces " + name, Endpoints: []micro.EndpointInfo{},
		},
		micro.StatsVerb: micro.Stats{
			ServiceIdentity: identity, Type: micro.StatsResponseType, Started: since.UTC(), Endpoints: []*micro.EndpointStats{},
		},
	}
	for verb, answer := range answers {
		text, err := json.Marshal(answer)
		if err != nil {
			return err
		}
		if int64(len(text)) > most {
			return fmt.Errorf("it takes %d bytes to describe it, and %d are the most", len(text), most)
		}
		a.answers[verb.String()] = text
	}
	identity.Metadata = nil
	a.gone, err = json.Marshal(micro.Ping{ServiceIdentity: identity, Type: goneType})
	return err
}

// Hold implements driver.Registration. The subscriptions outlive outages: nats.go makes them again.
func (a *announcement) Hold(ctx context.Context, held func()) error {
	status := a.nc.StatusChanged(nats.DISCONNECTED, nats.RECONNECTING, nats.CLOSED)
	defer a.nc.RemoveStatusListener(status)
	if err := connected(a.nc); err != nil {
		return fmt.Errorf("natsdiscovery: %s: %w", a.service, err)
	}
	err := a.begin()
	if err == nil {
		err = a.nc.Publish(Subject(a.service), a.answers[micro.InfoVerb.String()])
	}
	if err == nil {
		err = alive(ctx, a.nc)
	}
	if err != nil {
		return fmt.Errorf("natsdiscovery: announcing an instance of %s: %w", a.service, err)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	held()
	select {
	case s := <-status:
		return fmt.Errorf("natsdiscovery: %s: %w", a.service, lost(s))
	case <-ctx.Done():
		return ctx.Err()
	}
}

// begin begins to answer, unless it has begun.
func (a *announcement) begin() error {
	if a.stop != nil {
		return nil
	}
	for _, subject := range a.subjects {
		sub, err := a.nc.ChanSubscribe(subject, a.questions)
		if err != nil {
			a.unsubscribe()
			return fmt.Errorf("subscribing to %s: %w", subject, err)
		}
		a.subs = append(a.subs, sub)
	}
	a.stop = make(chan struct{})
	a.done.Go(a.answer)
	return nil
}

func (a *announcement) unsubscribe() {
	for _, sub := range a.subs {
		_ = sub.Unsubscribe() // it fails when the connection is closed, which ends it as well
	}
	a.subs = nil
}

func (a *announcement) answer() {
	for {
		select {
		case <-a.stop:
			return
		default:
		}
		select {
		case m := <-a.questions:
			verb, _, _ := strings.Cut(strings.TrimPrefix(m.Subject, micro.APIPrefix+"."), ".")
			_ = m.Respond(a.answers[verb]) // it fails when there is nowhere to answer to, or no connection, and then nobody waits
		case <-a.stop:
			return
		}
	}
}

// Remove implements driver.Registration. From now on nobody answers, whether NATS knows or not.
func (a *announcement) Remove(ctx context.Context) error {
	if a.stop == nil {
		return nil
	}
	a.unsubscribe()
	close(a.stop)
	a.done.Wait()
	a.stop = nil
	if connected(a.nc) == nil && a.nc.Publish(Subject(a.service), a.gone) == nil {
		_ = alive(ctx, a.nc) // those who do not hear it will miss the answers
	}
	return nil
}
