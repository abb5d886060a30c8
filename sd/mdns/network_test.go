package mdns_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/ashlar-go/ashlar/sd"
	"github.com/ashlar-go/ashlar/sd/internal/watchtest"
	"github.com/ashlar-go/ashlar/sd/mdns"
)

// service returns a name that no other test has.
func service() string { return "t-" + strconv.FormatUint(rand.Uint64N(1<<40), 36) }

func register(t *testing.T, service string, i sd.Instance, opts ...mdns.RegistrarOption) (deregister func(context.Context) error) {
	t.Helper()
	r, err := mdns.NewRegistrar(service, append(opts, mdns.RegistrarInterfaces(loopback(t)))...)
	if err != nil {
		t.Fatal(err)
	}
	deregister, err = r.Register(t.Context(), i)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := deregister(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return deregister
}

// watch watches on loopback.
func watch(t *testing.T, service string) *watchtest.Watch {
	t.Helper()
	return watchOn(t, service, mdns.InstancerInterfaces(loopback(t)))
}

func watchOn(t *testing.T, service string, opts ...mdns.InstancerOption) *watchtest.Watch {
	t.Helper()
	i, err := mdns.NewInstancer(service, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return watchtest.Start(t, i)
}

// ear hears all messages on loopback.
type ear struct {
	conn *net.UDPConn
}

func listen(t *testing.T) *ear {
	t.Helper()
	conn, err := net.ListenMulticastUDP("udp4", loopbackInterface(t), &net.UDPAddr{IP: net.IPv4(224, 0, 0, 251), Port: 5353})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return &ear{conn}
}

// hear returns the next message of which a record has the name, or not ok when there is none for a while.
func (e *ear) hear(t *testing.T, name string, while time.Duration) (m dnsmessage.Message, ok bool) {
	t.Helper()
	if err := e.conn.SetReadDeadline(time.Now().Add(while)); err != nil {
		t.Fatal(err)
	}
	data := make([]byte, 9000)
	for {
		n, err := e.conn.Read(data)
		if err != nil {
			return m, false
		}
		if err := m.Unpack(data[:n]); err == nil && m.Response &&
			slices.ContainsFunc(m.Answers, func(r dnsmessage.Resource) bool { return r.Header.Name.String() == name }) {
			return m, true
		}
	}
}

func question(name string, t dnsmessage.Type) dnsmessage.Question {
	return dnsmessage.Question{Name: dnsmessage.MustNewName(name), Type: t, Class: dnsmessage.ClassINET}
}

func TestWhatIsAnnounced(t *testing.T) {
	t.Parallel()
	e, name := listen(t), service()
	typ := "_" + name + "._tcp.local."
	deregister := register(t, name, sd.Instance{ID: "a.b", Address: "192.0.2.1:8080", Weight: 5})
	m, ok := e.hear(t, typ, patience)
	if !ok || !m.Authoritative || m.ID != 0 || len(m.Questions) > 0 || len(m.Answers) != 4 {
		t.Fatalf("want four records of an authority, have %v", m.GoString())
	}
	const flush = 1 << 15
	names := []string{typ, "a%2Eb." + typ, "a%2Eb." + typ, "ip-192-0-2-1.local."}
	for n, r := range m.Answers {
		if r.Header.Name.String() != names[n] || r.Header.TTL != 10 || (r.Header.Class&flush != 0) != (n > 0) {
			t.Errorf("want %s for 10 s, to flush caches but for the PTR, have %v", names[n], r.Header.GoString())
		}
	}
	if body, ok := m.Answers[1].Body.(*dnsmessage.SRVResource); !ok || body.Port != 8080 || body.Weight != 5 || body.Target.String() != names[3] {
		t.Errorf("want port 8080, weight 5 and %s, have %v", names[3], m.Answers[1].Body.GoString())
	}
	if body, ok := m.Answers[3].Body.(*dnsmessage.AResource); !ok || body.A != [4]byte{192, 0, 2, 1} {
		t.Errorf("want 192.0.2.1, have %v", m.Answers[3].Body.GoString())
	}
	if err := deregister(t.Context()); err != nil {
		t.Fatal(err)
	}
	for {
		m, ok := e.hear(t, typ, patience)
		if !ok {
			t.Fatal("there was no goodbye")
		}
		if m.Answers[0].Header.TTL == 0 {
			break
		}
	}
}

func TestQuestionsAreAnsweredUnlessTheAnswerIsKnown(t *testing.T) {
	t.Parallel()
	name := service()
	typ := "_" + name + "._tcp.local."
	register(t, name, sd.Instance{ID: "a", Address: "[2001:db8::1]:80"}, mdns.RegistrarTTL(time.Hour))
	e := listen(t)
	const while = 400 * time.Millisecond
	e.hear(t, typ, 1500*time.Millisecond) // the second announcement
	known := func(ttl uint32) []dnsmessage.Resource {
		return []dnsmessage.Resource{resource(typ, dnsmessage.TypePTR, ttl, &dnsmessage.PTRResource{PTR: dnsmessage.MustNewName("a." + typ)})}
	}
	host := "ip-20010db8000000000000000000000001.local."
	for what, c := range map[string]struct {
		m      dnsmessage.Message
		answer bool
	}{
		"the instances":           {dnsmessage.Message{Questions: []dnsmessage.Question{question(typ, dnsmessage.TypePTR)}}, true},
		"in capitals":             {dnsmessage.Message{Questions: []dnsmessage.Question{question(strings.ToUpper(typ), dnsmessage.TypePTR)}}, true},
		"the place":               {dnsmessage.Message{Questions: []dnsmessage.Question{question("a."+typ, dnsmessage.TypeSRV)}}, true},
		"the text":                {dnsmessage.Message{Questions: []dnsmessage.Question{question("a."+typ, dnsmessage.TypeTXT)}}, true},
		"all":                     {dnsmessage.Message{Questions: []dnsmessage.Question{question("a."+typ, dnsmessage.TypeALL)}}, true},
		"the host":                {dnsmessage.Message{Questions: []dnsmessage.Question{question(host, dnsmessage.TypeAAAA)}}, true},
		"an address of IPv4":      {dnsmessage.Message{Questions: []dnsmessage.Question{question(host, dnsmessage.TypeA)}}, false},
		"another":                 {dnsmessage.Message{Questions: []dnsmessage.Question{question("b."+typ, dnsmessage.TypeALL)}}, false},
		"no answer":               {dnsmessage.Message{Header: dnsmessage.Header{OpCode: 1}, Questions: []dnsmessage.Question{question(typ, dnsmessage.TypePTR)}}, false},
		"known":                   {dnsmessage.Message{Questions: []dnsmessage.Question{question(typ, dnsmessage.TypePTR)}, Answers: known(3000)}, false},
		"known, but not for long": {dnsmessage.Message{Questions: []dnsmessage.Question{question(typ, dnsmessage.TypePTR)}, Answers: known(100)}, true},
	} {
		if err := say(t, c.m); err != nil {
			t.Fatal(err)
		}
		within := while
		if c.answer {
			within = patience
		}
		if m, ok := e.hear(t, typ, within); ok != c.answer {
			t.Errorf("%s: want an answer %v, have %v", what, c.answer, m.GoString())
		}
	}
	if err := say(t, dnsmessage.Message{Questions: []dnsmessage.Question{question("_services._dns-sd._udp.local.", dnsmessage.TypePTR)}}); err != nil {
		t.Fatal(err)
	}
	if _, ok := e.hear(t, "_services._dns-sd._udp.local.", patience); !ok {
		t.Error("want the type among all types")
	}
}

func TestKnownAnswersMayFollow(t *testing.T) {
	t.Parallel()
	name := service()
	typ := "_" + name + "._tcp.local."
	register(t, name, sd.Instance{ID: "a", Address: "192.0.2.1:80"}, mdns.RegistrarTTL(time.Hour))
	e := listen(t)
	e.hear(t, typ, 1500*time.Millisecond) // the second announcement
	first := dnsmessage.Message{Header: dnsmessage.Header{Truncated: true}, Questions: []dnsmessage.Question{question(typ, dnsmessage.TypePTR)}}
	rest := dnsmessage.Message{Answers: []dnsmessage.Resource{
		resource(typ, dnsmessage.TypePTR, 3000, &dnsmessage.PTRResource{PTR: dnsmessage.MustNewName("a." + typ)}),
	}}
	if err := errors.Join(say(t, first), say(t, rest)); err != nil {
		t.Fatal(err)
	}
	if m, ok := e.hear(t, typ, time.Second); ok {
		t.Errorf("want no answer, since it was known, have %v", m.GoString())
	}
}

func TestAnswersComeWithinSeveralMessages(t *testing.T) {
	t.Parallel()
	name := service()
	r, err := mdns.NewRegistrar(name, mdns.RegistrarInterfaces(loopback(t)))
	if err != nil {
		t.Fatal(err)
	}
	const many = 300
	var addresses []string
	for n := range many {
		i := sd.Instance{
			ID: strconv.Itoa(1000 + n), Address: "192.0.2.1:" + strconv.Itoa(1000+n), Metadata: map[string]string{"text": strings.Repeat("x", 100)},
		}
		addresses = append(addresses, i.Address)
		deregister, err := r.Register(t.Context(), i)
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := deregister(context.Background()); err != nil {
				t.Error(err)
			}
		}()
	}
	watch(t, name).AwaitAddresses(addresses...)
}

func TestPacketsThatAreNoneAreIgnored(t *testing.T) {
	t.Parallel()
	name := service()
	w := watch(t, name)
	register(t, name, sd.Instance{Address: "192.0.2.1:80"})
	w.AwaitAddresses("192.0.2.1:80")
	for n := range 200 {
		data := make([]byte, n*7)
		for i := range data {
			data[i] = byte(rand.Uint32())
		}
		if err := sayBytes(t, data); err != nil {
			t.Fatal(err)
		}
	}
	register(t, name, sd.Instance{Address: "192.0.2.2:80"})
	w.AwaitAddresses("192.0.2.1:80", "192.0.2.2:80")
	w.Quiet()
}

func TestTheNewerOfTwoProcessesHasTheName(t *testing.T) {
	t.Parallel()
	name := service()
	w := watch(t, name)
	reports := make(chan error, 10)
	onError := mdns.RegistrarOnError(func(err error) { reports <- err })
	register(t, name, sd.Instance{ID: "a", Address: "192.0.2.1:80"}, mdns.RegistrarTTL(2*time.Second), onError)
	w.AwaitAddresses("192.0.2.1:80")
	for range 2 {
		deregister := register(t, name, sd.Instance{ID: "a", Address: "192.0.2.2:80"})
		w.AwaitAddresses("192.0.2.2:80")
		select {
		case err := <-reports:
			if !errors.Is(err, sd.ErrReplaced) || !strings.Contains(err.Error(), "a@192.0.2.1:80") || !strings.HasSuffix(err.Error(), "at 192.0.2.2:80") {
				t.Errorf("want it reported that it is replaced, have %v", err)
			}
		case <-time.After(patience):
			t.Fatal("nothing was reported")
		}
		e := listen(t)
		for end := time.Now().Add(3 * time.Second); time.Now().Before(end); {
			m, ok := e.hear(t, "a._"+name+"._tcp.local.", time.Until(end))
			if !ok {
				break
			}
			for _, r := range m.Answers {
				if body, ok := r.Body.(*dnsmessage.SRVResource); ok && body.Target.String() == "ip-192-0-2-1.local." {
					t.Error("the older one is still announced")
				}
			}
		}
		w.Quiet()
		if err := deregister(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.AwaitAddresses("192.0.2.1:80") // it is back
	}
	if len(reports) > 0 {
		t.Errorf("want it reported once each time, have %v", <-reports)
	}
}

func TestAClockThatIsAheadDoesNotKeepTheName(t *testing.T) {
	t.Parallel()
	name := service()
	w := watch(t, name)
	ahead := strconv.FormatInt(time.Now().Add(time.Hour).UnixMicro(), 36)
	w.Next() // it listens
	older := announcement(name, "a", "ashlar=1", "rev="+ahead, "service="+name, "address=192.0.2.1:80")
	if err := say(t, older); err != nil {
		t.Fatal(err)
	}
	w.AwaitAddresses("192.0.2.1:80")
	register(t, name, sd.Instance{ID: "a", Address: "192.0.2.2:80"})
	if err := say(t, older); err != nil { // as it does when it hears the other
		t.Fatal(err)
	}
	w.AwaitAddresses("192.0.2.2:80")
}
