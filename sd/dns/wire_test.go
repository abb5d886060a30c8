package dns_test

import (
	"encoding/binary"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/ashlar-go/ashlar/sd/dns"
	"github.com/ashlar-go/ashlar/sd/internal/watchtest"
)

// query is what a wire is asked.
type query struct {
	dnsmessage.Header

	question dnsmessage.Question
	tcp      bool
	edns     bool
	at       time.Time
}

// wire answers whatever a test wants it to, which no real server does.
type wire struct {
	address string

	mu      sync.Mutex
	queries []query
}

// serve starts a wire on loopback. Answer returns the messages that are sent back, none for silence.
func serve(t *testing.T, answer func(q query) [][]byte) *wire {
	t.Helper()
	tcp, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	udp, err := (&net.ListenConfig{}).ListenPacket(t.Context(), "udp", tcp.Addr().String())
	if err != nil {
		_ = tcp.Close()
		t.Skip("the port is taken over UDP:", err)
	}
	w := &wire{address: tcp.Addr().String()}
	var group sync.WaitGroup
	group.Go(func() {
		buf := make([]byte, 4096)
		for {
			n, from, err := udp.ReadFrom(buf)
			if err != nil {
				return
			}
			for _, m := range answer(w.read(t, buf[:n], false)) {
				_, _ = udp.WriteTo(m, from)
			}
		}
	})
	group.Go(func() {
		for {
			conn, err := tcp.Accept()
			if err != nil {
				return
			}
			group.Go(func() { w.overTCP(t, conn, answer) })
		}
	})
	t.Cleanup(func() {
		_ = udp.Close()
		_ = tcp.Close()
		group.Wait()
	})
	return w
}

func (w *wire) overTCP(t *testing.T, conn net.Conn, answer func(q query) [][]byte) {
	t.Helper()
	defer conn.Close()
	for {
		var length [2]byte
		if _, err := io.ReadFull(conn, length[:]); err != nil {
			return
		}
		buf := make([]byte, binary.BigEndian.Uint16(length[:]))
		if _, err := io.ReadFull(conn, buf); err != nil {
			return
		}
		for _, m := range answer(w.read(t, buf, true)) {
			_, _ = conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(m))), m...))
		}
	}
}

func (w *wire) read(t *testing.T, message []byte, tcp bool) query {
	t.Helper()
	var m dnsmessage.Message
	if err := m.Unpack(message); err != nil || len(m.Questions) != 1 || m.Response {
		t.Errorf("want a query, have %v, %v", m.GoString(), err)
		return query{}
	}
	q := query{Header: m.Header, question: m.Questions[0], tcp: tcp, at: time.Now()}
	for _, a := range m.Additionals {
		q.edns = q.edns || a.Header.Type == dnsmessage.TypeOPT
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.queries = append(w.queries, q)
	return q
}

// asked returns all queries so far.
func (w *wire) asked() []query {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]query(nil), w.queries...)
}

// await waits until there have been n queries, and returns them.
func (w *wire) await(t *testing.T, n int) []query {
	t.Helper()
	limit := time.After(patience)
	for tick := time.NewTicker(time.Millisecond); ; {
		if all := w.asked(); len(all) >= n {
			tick.Stop()
			return all
		}
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("want %d queries, have %d", n, len(w.asked()))
		}
	}
}

func (w *wire) use(more ...dns.InstancerOption) []dns.InstancerOption {
	return append([]dns.InstancerOption{
		dns.InstancerServers(w.address), dns.InstancerNetwork("ip4"), dns.InstancerAttempts(1),
	}, more...)
}

// reply builds an answer. Change may alter it.
func (q query) reply(change func(m *dnsmessage.Message)) []byte {
	m := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: q.ID, Response: true, RecursionAvailable: true},
		Questions: []dnsmessage.Question{q.question},
	}
	if change != nil {
		change(&m)
	}
	text, err := m.Pack()
	if err != nil {
		panic(err)
	}
	return text
}

// with answers with the addresses, each with the time to live.
func (q query) with(seconds uint32, addresses ...[4]byte) []byte {
	return q.reply(func(m *dnsmessage.Message) {
		for _, a := range addresses {
			m.Answers = append(m.Answers, record(q.question.Name.String(), seconds, &dnsmessage.AResource{A: a}))
		}
	})
}

func (q query) code(code dnsmessage.RCode) []byte {
	return q.reply(func(m *dnsmessage.Message) { m.RCode = code })
}

func record(name string, seconds uint32, body dnsmessage.ResourceBody) dnsmessage.Resource {
	return dnsmessage.Resource{Header: dnsmessage.ResourceHeader{Name: dnsmessage.MustNewName(name), Class: dnsmessage.ClassINET, TTL: seconds}, Body: body}
}

func one(messages ...[]byte) [][]byte { return messages }

var home = [4]byte{127, 0, 0, 2}

func TestAnswersThatAreNoneAreErrors(t *testing.T) {
	t.Parallel()
	loop := func(q query) [][]byte {
		return one(q.reply(func(m *dnsmessage.Message) {
			name := q.question.Name.String()
			m.Answers = append(m.Answers,
				record(name, 1, &dnsmessage.CNAMEResource{CNAME: dnsmessage.MustNewName("other.example.test.")}),
				record("other.example.test.", 1, &dnsmessage.CNAMEResource{CNAME: dnsmessage.MustNewName(name)}))
		}))
	}
	tests := map[string]func(q query) [][]byte{
		"SERVFAIL": func(q query) [][]byte { return one(q.code(dnsmessage.RCodeServerFailure)) },
		"REFUSED":  func(q query) [][]byte { return one(q.code(dnsmessage.RCodeRefused)) },
		"FORMERR":  func(q query) [][]byte { return one(q.code(dnsmessage.RCodeFormatError)) },
		"NOTIMP":   func(q query) [][]byte { return one(q.code(dnsmessage.RCodeNotImplemented)) },
		"code 16": func(q query) [][]byte { // which EDNS0 says in bits of its own
			return one(q.reply(func(m *dnsmessage.Message) {
				var h dnsmessage.ResourceHeader
				if err := h.SetEDNS0(1232, dnsmessage.RCode(16), false); err != nil {
					panic(err)
				}
				m.Additionals = append(m.Additionals, dnsmessage.Resource{Header: h, Body: &dnsmessage.OPTResource{}})
			}))
		},
		"asks nobody": func(q query) [][]byte {
			return one(q.reply(func(m *dnsmessage.Message) { m.RecursionAvailable = false }))
		},
		"reading the":     func(q query) [][]byte { text := q.with(1, home); return one(text[:len(text)-2]) },
		"circle":          loop,
		"no answer":       func(query) [][]byte { return nil },
		"no answer over ": func(q query) [][]byte { return one([]byte("x"), nil, (&query{question: q.question}).with(1, home)) },
		"truncated over":  func(q query) [][]byte { return one(q.reply(func(m *dnsmessage.Message) { m.Truncated = true })) },
	}
	for text, answer := range tests {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			bad := make(chan struct{})
			s := serve(t, func(q query) [][]byte {
				select {
				case <-bad:
					return answer(q)
				default:
					return one(q.with(0, home))
				}
			})
			w := watchtest.Start(t, newHost(t, "orders.example.test", 80,
				s.use(dns.InstancerMinTTL(10*time.Millisecond), dns.InstancerTimeout(300*time.Millisecond))...))
			watchtest.WantAddresses(t, w.Set(), "127.0.0.2:80")
			close(bad)
			for range 2 { // and no set
				if err := w.Fails(); !contains(err, text) || !contains(err, s.address) && text != "circle" {
					t.Errorf("want an error with %q and %s, have %v", text, s.address, err)
				}
			}
		})
	}
}

func TestAServerThatFailsIsFollowedByTheNext(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]func(q query) [][]byte{
		"which fails":  func(q query) [][]byte { return one(q.code(dnsmessage.RCodeServerFailure)) },
		"which hangs":  func(query) [][]byte { return nil },
		"which is out": nil,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			good := serve(t, func(q query) [][]byte { return one(q.with(0, home)) })
			bad := &wire{address: "127.0.0.1:1"}
			if answer != nil {
				bad = serve(t, answer)
			}
			w := watchtest.Start(t, newHost(t, "orders.example.test", 80, dns.InstancerServers(bad.address, good.address),
				dns.InstancerNetwork("ip4"), dns.InstancerTimeout(100*time.Millisecond), dns.InstancerMinTTL(time.Millisecond)))
			watchtest.WantAddresses(t, w.Set(), "127.0.0.2:80")
			good.await(t, 3)
			if have := len(bad.asked()); have > 1 {
				t.Errorf("want the server that has answered to be asked first from then on, have %d queries to the other", have)
			}
			w.Quiet()
		})
	}
}

func TestAServerWithoutEDNSIsAskedWithout(t *testing.T) {
	t.Parallel()
	s := serve(t, func(q query) [][]byte {
		if q.edns {
			return one(q.reply(func(m *dnsmessage.Message) { m.RCode, m.Questions = dnsmessage.RCodeFormatError, nil }))
		}
		return one(q.with(60, home))
	})
	watchtest.WantAddresses(t, watchtest.Start(t, newHost(t, "orders.example.test", 80, s.use()...)).Set(), "127.0.0.2:80")
}

func TestAnAliasThatTheServerDoesNotFollowIsAskedFor(t *testing.T) {
	t.Parallel()
	s := serve(t, func(q query) [][]byte {
		if q.question.Name.String() == "other.test." {
			return one(q.with(60, home))
		}
		return one(q.reply(func(m *dnsmessage.Message) {
			m.Answers = append(m.Answers, record("ORDERS.example.test.", 60, &dnsmessage.CNAMEResource{CNAME: dnsmessage.MustNewName("other.test.")}))
		}))
	})
	w := watchtest.Start(t, newHost(t, "orders.example.test", 80, s.use()...))
	watchtest.WantAddresses(t, w.Set(), "127.0.0.2:80")
	if want, have := 2, len(s.asked()); want != have {
		t.Errorf("want %d queries, have %d", want, have)
	}
}

func TestStrayMessagesArePassedOver(t *testing.T) {
	t.Parallel()
	s := serve(t, func(q query) [][]byte {
		other, wrongName, noResponse := q, q, q.reply(func(m *dnsmessage.Message) { m.Response = false })
		other.ID++
		wrongName.question.Name = dnsmessage.MustNewName("evil.example.test.")
		evil := [4]byte{6, 6, 6, 6}
		return one([]byte{1, 2, 3}, other.with(60, evil), wrongName.with(60, evil), noResponse, q.with(60, home))
	})
	watchtest.WantAddresses(t, watchtest.Start(t, newHost(t, "ORDERS.example.test", 80, s.use()...)).Set(), "127.0.0.2:80")
}

func TestOnlyWhatBelongsToTheNameIsTaken(t *testing.T) {
	t.Parallel()
	s := serve(t, func(q query) [][]byte {
		return one(q.reply(func(m *dnsmessage.Message) {
			foreign := record("orders.example.test.", 60, &dnsmessage.AResource{A: [4]byte{6, 6, 6, 7}})
			foreign.Header.Class = dnsmessage.ClassCHAOS
			m.Answers = append(m.Answers, record("evil.example.test.", 60, &dnsmessage.AResource{A: [4]byte{6, 6, 6, 6}}), foreign,
				record("Orders.Example.TEST.", 60, &dnsmessage.AResource{A: home}))
		}))
	})
	watchtest.WantAddresses(t, watchtest.Start(t, newHost(t, "orders.example.test", 80, s.use()...)).Set(), "127.0.0.2:80")
}

func TestAddressesThatNobodyHasAreInvalid(t *testing.T) {
	t.Parallel()
	s := serve(t, func(q query) [][]byte { return one(q.with(60, [4]byte{}, home)) })
	w := watchtest.Start(t, newHost(t, "orders.example.test", 80, s.use()...))
	if err := w.Fails(); !contains(err, `"orders.example.test 0.0.0.0 80"`) {
		t.Errorf("want an error that names the entry, have %v", err)
	}
	watchtest.WantAddresses(t, w.Set(), "127.0.0.2:80")
}

func contains(err error, text string) bool { return err != nil && strings.Contains(err.Error(), text) }
