package mdns_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/ashlar-go/ashlar/sd/mdns"
)

const typ = "_orders._tcp.local."

// heard is a cache, and the clock by which it hears.
type heard struct {
	*mdns.Cache

	t   *testing.T
	now time.Time
}

func newHeard(t *testing.T) *heard {
	t.Helper()
	return &heard{Cache: mdns.NewCache("orders"), t: t, now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
}

func (h *heard) hear(m dnsmessage.Message) {
	h.t.Helper()
	data, err := m.Pack()
	if err == nil {
		err = h.Hear(data, "eth0", h.now)
	}
	if err != nil {
		h.t.Fatal(err)
	}
}

// want compares the addresses of the set after a while.
func (h *heard) want(after time.Duration, addresses ...string) []dnsmessage.Question {
	h.t.Helper()
	h.now = h.now.Add(after)
	questions, set, invalid := h.At(h.now)
	var have []string
	for _, i := range set {
		have = append(have, i.Address)
	}
	if slices.Sort(have); !slices.Equal(addresses, have) || len(invalid) > 0 {
		h.t.Errorf("want %q, have %q, %v", addresses, have, invalid)
	}
	return questions
}

func name(label string) string { return label + "." + typ }

func ptr(label string, ttl uint32) dnsmessage.Resource {
	return resource(typ, dnsmessage.TypePTR, ttl, &dnsmessage.PTRResource{PTR: dnsmessage.MustNewName(name(label))})
}

func txt(label string, ttl uint32, text ...string) dnsmessage.Resource {
	return resource(name(label), dnsmessage.TypeTXT, ttl, &dnsmessage.TXTResource{TXT: text})
}

func srv(label string, ttl uint32, port, weight uint16, target string) dnsmessage.Resource {
	return resource(name(label), dnsmessage.TypeSRV, ttl, &dnsmessage.SRVResource{Port: port, Weight: weight, Target: dnsmessage.MustNewName(target)})
}

func a(host string, ttl uint32, flush bool, ip ...byte) dnsmessage.Resource {
	r := resource(host, dnsmessage.TypeA, ttl, &dnsmessage.AResource{A: [4]byte(ip)})
	if flush {
		r.Header.Class |= 1 << 15
	}
	return r
}

// ours is the text of an instance of this package.
func ours(revision int, address string) []string {
	return []string{"ashlar=1", "rev=" + strconv.FormatInt(int64(revision), 36), "service=orders", "address=" + address}
}

func TestAnInstanceIsAskedForBeforeItsTimeIsOverAndThenGone(t *testing.T) {
	t.Parallel()
	h := newHeard(t)
	h.hear(response(ptr("a", 10), txt("a", 10, ours(1, "x:1")...)))
	h.want(0, "x:1")
	begin := h.now
	asked := 0
	for h.now.Before(begin.Add(10 * time.Second)) {
		next := h.Next(h.now)
		if !next.After(h.now) {
			t.Fatalf("want something later than %v, have %v", h.now, next)
		}
		h.now = next
		if next.Equal(begin.Add(10 * time.Second)) {
			break
		}
		questions := h.want(0, "x:1")
		if at := h.now.Sub(begin); len(questions) == 0 || at < 8*time.Second || at > 9700*time.Millisecond {
			t.Errorf("want questions from 80 to 97 %% of the time, have %v after %v", questions, at)
		}
		for _, q := range questions {
			if q.Type == dnsmessage.TypePTR {
				asked++
			}
		}
	}
	if asked != 4 {
		t.Errorf("want 4 questions, at 80, 85, 90 and 95 %%, have %d", asked)
	}
	h.want(0)
	if h.Len() != 0 {
		t.Error("it is still held")
	}
}

func TestAnAnnouncementMakesTheTimeLonger(t *testing.T) {
	t.Parallel()
	h := newHeard(t)
	for range 5 {
		h.hear(response(ptr("a", 10), txt("a", 10, ours(1, "x:1")...)))
		if questions := h.want(7*time.Second, "x:1"); len(questions) > 0 {
			t.Errorf("want no questions, have %v", questions)
		}
	}
}

func TestGoodbye(t *testing.T) {
	t.Parallel()
	first := []dnsmessage.Resource{ptr("a", 10), txt("a", 10, ours(1, "x:1")...)}
	second := []dnsmessage.Resource{ptr("a", 10), txt("a", 10, ours(2, "x:2")...)}
	bye := []dnsmessage.Resource{ptr("a", 0), txt("a", 0, ours(1, "x:1")...)}
	h := newHeard(t)
	h.hear(response(first...))
	h.want(0, "x:1")
	h.hear(response(bye...))
	h.want(0) // at once
	h.hear(response(first...))
	h.want(0) // which was under way
	h.hear(response(second...))
	h.want(0, "x:2") // which is another
	h.hear(response(bye...))
	h.want(0, "x:2") // which was not meant
	h.hear(response(ptr("a", 0)))
	h.want(0) // by whomever, and whatever
	h.hear(response(second...))
	h.want(0, "x:2") // so that it can say that it is there
	h.hear(response(bye...))
	h.hear(response(ptr("a", 0), txt("a", 0, ours(2, "x:2")...)))
	h.want(2 * time.Second)
	h.hear(response(second...))
	h.want(0, "x:2") // it is back
	if h.hear(response(ptr("never", 0))); h.Len() != 1 {
		t.Errorf("want nothing of an instance that was not there, have %d", h.Len())
	}
}

func TestOfTwoWithOneNameTheNewerCounts(t *testing.T) {
	t.Parallel()
	h := newHeard(t)
	for _, revision := range []int{1, 3, 2, 1} {
		h.hear(response(ptr("a", 10), txt("a", 10, ours(revision, "x:"+strconv.Itoa(revision))...)))
	}
	h.want(0, "x:3")
	h.hear(response(txt("a", 10, ours(1, "x:1")...)))
	h.want(9*time.Second, "x:3")
}

func TestWhatIsMissingIsAskedForWithGrowingDelays(t *testing.T) {
	t.Parallel()
	h := newHeard(t)
	h.hear(response(ptr("a", 4000)))
	var waits []time.Duration
	for range 5 {
		questions := h.want(0)
		if len(questions) != 2 || questions[0].Type != dnsmessage.TypeTXT || questions[1].Type != dnsmessage.TypeSRV {
			t.Errorf("want the text and the place asked for, have %v", questions)
		}
		last := h.now
		h.now = h.Next(h.now)
		waits = append(waits, h.now.Sub(last))
	}
	if want := []time.Duration{time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 16 * time.Second}; !slices.Equal(want, waits) {
		t.Errorf("want %v, have %v", want, waits)
	}
}

func TestAnInstanceOfAnotherProgramHasTheAddressOfItsHost(t *testing.T) {
	t.Parallel()
	h := newHeard(t)
	h.hear(response(ptr("a", 4500), srv("a", 120, 80, 5, "Host.local."), txt("a", 4500, "path=/x")))
	questions := h.want(0)
	if len(questions) != 2 || questions[0].Type != dnsmessage.TypeA || questions[0].Name.String() != "Host.local." {
		t.Errorf("want the address of the host asked for, have %v", questions)
	}
	h.hear(response(a("host.local.", 120, true, 169, 254, 0, 1), a("host.local.", 120, true, 192, 0, 2, 9), a("other.local.", 120, true, 192, 0, 2, 1)))
	h.want(0, "192.0.2.9:80")
	_, set, _ := h.At(h.now)
	if i := set[0]; i.ID != "a" || i.Weight != 5 || i.Metadata["path"] != "/x" {
		t.Errorf("want ID a, weight 5, path /x, have %+v", i)
	}
	h.now = h.now.Add(2 * time.Second)
	h.hear(response(a("host.local.", 120, true, 192, 0, 2, 10))) // the host has moved
	h.want(0, "192.0.2.10:80")
	if questions := h.want(100*time.Second, "192.0.2.10:80"); len(questions) == 0 {
		t.Error("want the place and the address asked for again before their time is over")
	}
	h.want(30 * time.Second)
	h.hear(response(srv("a", 120, 81, 0, "host.local."), a("host.local.", 120, true, 192, 0, 2, 10)))
	h.want(0, "192.0.2.10:81")
}

func TestServicesThatShareATypeByCoincidenceAreApart(t *testing.T) {
	t.Parallel()
	h := newHeard(t)
	text := ours(1, "x:1")
	text[2] = "service=others"
	h.hear(response(ptr("a", 10), txt("a", 10, text...), ptr("b", 10), txt("b", 10, ours(1, "x:2")...)))
	h.want(0, "x:2")
	c := mdns.NewCache("shop.v1.Catalog") // a type of its own has no instances of other programs
	made, _ := mdns.TypeOf("shop.v1.Catalog")
	at := "a." + made
	m := response(resource(made, dnsmessage.TypePTR, 10, &dnsmessage.PTRResource{PTR: dnsmessage.MustNewName(at)}),
		resource(at, dnsmessage.TypeTXT, 10, &dnsmessage.TXTResource{TXT: []string{"path=/"}}),
		resource(at, dnsmessage.TypeSRV, 10, &dnsmessage.SRVResource{Port: 1, Target: dnsmessage.MustNewName("h.local.")}),
		a("h.local.", 10, false, 192, 0, 2, 1))
	data, err := m.Pack()
	if err != nil || c.Hear(data, "eth0", h.now) != nil {
		t.Fatal(err)
	}
	if _, set, invalid := c.At(h.now); len(set)+len(invalid) > 0 {
		t.Errorf("want nothing, have %v, %v", set, invalid)
	}
}

func TestThereIsALimitOfInstances(t *testing.T) {
	t.Parallel()
	h := newHeard(t)
	for n := range mdns.MaxInstances + 10 {
		label := strconv.Itoa(n)
		h.hear(response(ptr(label, 10), txt(label, 10, ours(1, "x:"+label)...)))
	}
	_, set, invalid := h.At(h.now)
	if len(set) != mdns.MaxInstances || len(invalid) != 1 || !strings.Contains(invalid[0].Error(), "more than 4096 instances") {
		t.Errorf("want %d instances and an error, have %d, %v", mdns.MaxInstances, len(set), invalid)
	}
	h.want(11 * time.Second)
}

func TestAfterAnOutageNothingIsGone(t *testing.T) {
	t.Parallel()
	h := newHeard(t)
	h.hear(response(ptr("a", 10), txt("a", 10, ours(1, "x:1")...)))
	h.now = h.now.Add(time.Hour)
	h.Resume(h.now)
	h.want(9*time.Second, "x:1")
	h.want(2 * time.Second)
}

func TestKnownAnswersAreThoseThatHoldForHalfOfTheirTime(t *testing.T) {
	t.Parallel()
	h := newHeard(t)
	h.hear(response(ptr("a", 10), txt("a", 10, ours(1, "x:1")...), ptr("b", 100), txt("b", 100, ours(1, "x:2")...), ptr("missing", 100)))
	for after, want := range map[time.Duration]int{0: 2, 6 * time.Second: 1, 60 * time.Second: 0} {
		if have := h.Known(h.now.Add(after)); have != want {
			t.Errorf("after %v: want %d, have %d", after, want, have)
		}
	}
}
