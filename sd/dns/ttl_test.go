package dns_test

import (
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/ashlar-go/ashlar/sd/dns"
	"github.com/ashlar-go/ashlar/sd/internal/watchtest"
)

// wantGap checks how long after the first query the next one came.
func wantGap(t *testing.T, s *wire, want time.Duration) {
	t.Helper()
	asked := s.await(t, 2)
	const slack = 2 * time.Second // of a busy machine
	if have := asked[1].at.Sub(asked[0].at); have < want || have > want+want/10+slack {
		t.Errorf("want the next query after %v, have it after %v", want, have)
	}
}

func TestAnswersHoldForTheirTimesToLive(t *testing.T) {
	t.Parallel()
	soa := func(own, minimum uint32) func(m *dnsmessage.Message) {
		return func(m *dnsmessage.Message) {
			m.Authorities = append(m.Authorities, record("example.test.", own, &dnsmessage.SOAResource{
				NS: dnsmessage.MustNewName("ns."), MBox: dnsmessage.MustNewName("admin."), MinTTL: minimum,
			}))
		}
	}
	alias := func(q query) [][]byte {
		return one(q.reply(func(m *dnsmessage.Message) {
			m.Answers = append(m.Answers, record(q.question.Name.String(), 1, &dnsmessage.CNAMEResource{CNAME: dnsmessage.MustNewName("b.test.")}),
				record("b.test.", 9, &dnsmessage.AResource{A: home}))
		}))
	}
	tests := map[string]struct {
		answer func(q query) [][]byte
		opts   []dns.InstancerOption
		want   time.Duration
	}{
		"of records":      {answer: func(q query) [][]byte { return one(q.with(2, home)) }, want: 2 * time.Second},
		"of an alias":     {answer: alias, want: time.Second},
		"the floor":       {answer: func(q query) [][]byte { return one(q.with(0, home)) }, want: time.Second},
		"a given floor":   {answer: func(q query) [][]byte { return one(q.with(1, home)) }, opts: []dns.InstancerOption{dns.InstancerMinTTL(2 * time.Second)}, want: 2 * time.Second},
		"a ceiling":       {answer: func(q query) [][]byte { return one(q.with(3600, home)) }, opts: []dns.InstancerOption{dns.InstancerMaxTTL(1500 * time.Millisecond)}, want: 1500 * time.Millisecond},
		"one without end": {answer: func(q query) [][]byte { return one(q.with(1<<31, home)) }, want: time.Second}, // RFC 2181: 0
		"no such records": {answer: func(q query) [][]byte { return one(q.reply(soa(3600, 2))) }, want: 2 * time.Second},
		"no such name": {answer: func(q query) [][]byte {
			return one(q.reply(func(m *dnsmessage.Message) { soa(2, 3600)(m); m.RCode = dnsmessage.RCodeNameError }))
		}, want: 2 * time.Second},
		"nothing, and no SOA": {answer: func(q query) [][]byte { return one(q.reply(nil)) }, want: time.Second},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, test.answer)
			watchtest.Start(t, newHost(t, "orders.example.test", 80, s.use(test.opts...)...))
			wantGap(t, s, test.want)
		})
	}
}

func TestTheShortestTimeToLiveOfARoundCounts(t *testing.T) {
	t.Parallel()
	// The record itself holds for an hour, one of its targets for two seconds.
	s := serve(t, func(q query) [][]byte {
		if q.question.Type == dnsmessage.TypeA {
			return one(q.with(2, home))
		}
		return one(q.reply(func(m *dnsmessage.Message) {
			name := q.question.Name.String()
			m.Answers = append(m.Answers,
				record(name, 3600, &dnsmessage.SRVResource{Port: 80, Target: dnsmessage.MustNewName("a.test.")}),
				record(name, 3600, &dnsmessage.SRVResource{Port: 80, Target: dnsmessage.MustNewName("b.test.")}))
			m.Additionals = append(m.Additionals, record("A.test.", 3600, &dnsmessage.AResource{A: [4]byte{127, 0, 0, 3}}))
		}))
	})
	w := watchtest.Start(t, newSRV(t, "orders.example.test", s.use()...))
	watchtest.WantAddresses(t, w.Set(), "127.0.0.2:80", "127.0.0.3:80")
	asked := s.await(t, 3)
	if asked[1].question.Name.String() != "b.test." {
		t.Errorf("want one query for what did not come with the records, have %v", asked[1].question)
	}
	if gap := asked[2].at.Sub(asked[0].at); gap < 2*time.Second || gap > 4*time.Second {
		t.Errorf("want the next round after two seconds, have it after %v", gap)
	}
}

func TestThatThereIsNothingInAnEarlierDomainHoldsForItsTimeToLive(t *testing.T) {
	t.Parallel()
	s := serve(t, func(q query) [][]byte {
		if q.question.Name.String() == "orders.y.test." {
			return one(q.with(60, home))
		}
		return one(q.reply(func(m *dnsmessage.Message) {
			m.RCode = dnsmessage.RCodeNameError
			m.Authorities = append(m.Authorities, record("x.test.", 2, &dnsmessage.SOAResource{
				NS: dnsmessage.MustNewName("ns."), MBox: dnsmessage.MustNewName("admin."), MinTTL: 60,
			}))
		}))
	})
	w := watchtest.Start(t, newHost(t, "orders", 80, s.use(dns.InstancerSearch("x.test", "y.test"))...))
	watchtest.WantAddresses(t, w.Set(), "127.0.0.2:80")
	asked := s.await(t, 3)
	if gap := asked[2].at.Sub(asked[0].at); gap < 2*time.Second || asked[2].question.Name.String() != "orders.x.test." {
		t.Errorf("want the earlier domain asked again after two seconds, have %v after %v", asked[2].question, gap)
	}
}

func TestFailingServersAreNotAskedInALoop(t *testing.T) {
	t.Parallel()
	s := serve(t, func(q query) [][]byte { return one(q.code(dnsmessage.RCodeServerFailure)) })
	w := watchtest.Start(t, newHost(t, "orders.example.test", 80, s.use(dns.InstancerMinTTL(time.Nanosecond))...))
	asked := s.await(t, 6)
	w.End()
	if took := asked[5].at.Sub(asked[0].at); took < 1500*time.Millisecond { // half of 100+200+400+800+1600 ms, at least
		t.Errorf("want growing delays between attempts, have 6 within %v", took)
	}
}
