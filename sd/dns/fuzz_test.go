package dns_test

import (
	"net/netip"
	"testing"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/ashlar-go/ashlar/sd/dns"
)

func FuzzUnpack(f *testing.F) {
	const id = 0x3132
	q := query{Header: dnsmessage.Header{ID: id}, question: dnsmessage.Question{Name: dnsmessage.MustNewName("a.test."), Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET}}
	f.Add(q.with(60, home))
	f.Add(q.code(dnsmessage.RCodeServerFailure))
	f.Add(q.reply(func(m *dnsmessage.Message) {
		m.Answers = append(m.Answers, record("a.test.", 1, &dnsmessage.CNAMEResource{CNAME: dnsmessage.MustNewName("b.test.")}),
			record("a.test.", 1, &dnsmessage.SRVResource{Target: dnsmessage.MustNewName("b.test.")}))
		m.Authorities = append(m.Authorities, record("a.test.", 1, &dnsmessage.SOAResource{NS: dnsmessage.MustNewName("n."), MBox: dnsmessage.MustNewName("m.")}))
		m.Additionals = append(m.Additionals, record("b.test.", 1, &dnsmessage.AAAAResource{}))
	}))
	f.Fuzz(func(t *testing.T, message []byte) {
		answers, _, err := dns.Unpack(message, id, "a.test.")
		if err != nil && answers > 0 {
			t.Errorf("want no answers beside an error, have %d and %v", answers, err)
		}
	})
}

func FuzzResolvConf(f *testing.F) {
	f.Add("nameserver 10.0.0.1\nsearch a.test\noptions ndots:5 timeout:1 attempts:2\n")
	f.Fuzz(func(t *testing.T, text string) {
		r := dns.ParseResolvConf(text)
		if r.Ndots < 0 || r.Ndots > 15 || r.Attempts < 1 || r.Attempts > 5 || r.Timeout <= 0 {
			t.Errorf("want what is within the limits, have %v", r)
		}
		for _, server := range r.Servers {
			if _, err := netip.ParseAddrPort(server); err != nil {
				t.Error(err)
			}
		}
	})
}
