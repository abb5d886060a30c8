package natstransport

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
)

// mount is a server on a connection.
type mount struct {
	*Server

	service  *Service
	endpoint string // its name in NATS
	sub      *nats.Subscription
	cancels  *nats.Subscription
	workers  *workers
	ledger   *ledger
	quiet    chan struct{} // closed when NATS delivers nothing any more
	refused  atomic.Int64
	dropped  atomic.Int64 // that have been reported
}

func newMount(s *Server, service *Service, name string) *mount {
	m := &mount{Server: s, service: service, endpoint: name, ledger: newLedger(), quiet: make(chan struct{})}
	m.workers = newWorkers(s.maxInFlight, m.serve)
	return m
}

func (m *mount) nc() *nats.Conn { return m.service.link.nc }

// subscribe begins to take requests.
func (m *mount) subscribe() (err error) {
	if m.cancels, err = m.nc().Subscribe(CancelSubject(m.subject), m.cancel); err != nil {
		return fmt.Errorf("subscribing to %s: %w", CancelSubject(m.subject), err)
	}
	if m.sub, err = m.nc().QueueSubscribe(m.subject, m.queue, m.take); err != nil {
		return fmt.Errorf("subscribing to %s: %w", m.subject, err)
	}
	return guard(m.sub, m.quiet)
}

// take is called by NATS for each message, one at a time.
func (m *mount) take(msg *nats.Msg) {
	if m.workers.put(msg) {
		return
	}
	refusal := errOverloaded
	if m.service.stopping() {
		refusal = errShutdown
	}
	m.refused.Add(1)
	m.ledger.refuse(refusal)
	m.checkDropped(msg.Sub)
	if msg.Reply != "" {
		_, _ = m.replyError(msg.Reply, transport.HeaderMap{transport.NotBegunHeader: {"true"}}, refusal)
	}
}

// cancel is called by NATS for each call that its client gives up, or asks about, and for each client that asks whether anybody is here.
func (m *mount) cancel(msg *nats.Msg) {
	switch {
	case len(msg.Data) > maxReply:
	case msg.Reply == "":
		m.ledger.cancel(string(msg.Data))
	case len(msg.Data) == 0 || m.ledger.serves(string(msg.Data)):
		if err := m.nc().Publish(msg.Reply, msg.Data); err != nil {
			m.service.report(m.Server, err)
		}
	}
}

// serve serves one message, on a goroutine of the workers.
func (m *mount) serve(msg *nats.Msg) {
	x := &exchange{server: m.Server, mount: m, msg: msg, began: time.Now()}
	x.run()
}

// replyError answers with the error, and returns the size of the answer.
func (m *mount) replyError(reply string, fields transport.HeaderMap, err *status.Error) (size int, _ error) {
	answer := &nats.Msg{Subject: reply, Header: maps.Clone(nats.Header(fields))}
	setError(answer, err)
	publishErr := m.nc().PublishMsg(answer)
	if errors.Is(publishErr, nats.ErrMaxPayload) {
		answer = &nats.Msg{Subject: reply}
		setError(answer, shortened(err))
		publishErr = m.nc().PublishMsg(answer)
	}
	if publishErr != nil {
		m.service.report(m.Server, publishErr)
	}
	return len(answer.Data), publishErr
}

// checkDropped reports messages that NATS dropped since there were too many of them.
func (m *mount) checkDropped(sub *nats.Subscription) {
	n, err := sub.Dropped()
	if err != nil {
		return
	}
	if before := m.dropped.Swap(int64(n)); int64(n) > before {
		m.service.report(m.Server, fmt.Errorf("%w: %d requests were lost", nats.ErrSlowConsumer, int64(n)-before))
	}
}

// info describes the server to those who ask NATS.
func (m *mount) info() micro.EndpointInfo {
	metadata := map[string]string{"ashlar.operation": m.operation, "ashlar.kind": m.kind.String()}
	maps.Copy(metadata, m.metadata)
	return micro.EndpointInfo{Name: m.endpoint, Subject: m.subject, QueueGroup: m.queue, Metadata: metadata}
}

// load is what the statistics of a server have that NATS has no names for.
type load struct {
	InFlight int   `json:"in_flight"` //nolint:tagliatelle // as NATS spells what stands beside it
	Refused  int64 `json:"refused"`
	Dropped  int64 `json:"dropped"`
}

// stats returns what has been served.
func (m *mount) stats() *micro.EndpointStats {
	m.checkDropped(m.sub)
	stats, active := m.ledger.snapshot()
	stats.Name, stats.Subject, stats.QueueGroup = m.endpoint, m.subject, m.queue
	stats.Data, _ = json.Marshal(load{InFlight: active, Refused: m.refused.Load(), Dropped: m.dropped.Load()}) // numbers cannot fail
	return &stats
}

// names returns how NATS calls the servers: by their methods, or by their operations where two methods have one name.
func names(servers []*Server) []string {
	methods := make(map[string]int)
	for _, s := range servers {
		methods[s.method]++
	}
	all := make([]string, len(servers))
	for i, s := range servers {
		spec := endpoint.Spec{Service: s.service, Method: s.method}
		if methods[s.method] == 1 {
			spec.Service = ""
		}
		all[i] = microName(spec.Operation())
	}
	return all
}

// microName replaces what NATS does not have in names.
func microName(name string) string {
	b := []byte(name)
	for i, c := range b {
		if !isNameByte(c) {
			b[i] = '-'
		}
	}
	return string(b)
}

func isNameByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_'
}
