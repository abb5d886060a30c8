package mdns_test

import (
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/ashlar-go/ashlar/sd/mdns"
)

// FuzzPacket hears whatever anybody may send.
func FuzzPacket(f *testing.F) {
	seeds := []dnsmessage.Message{
		response(ptr("a", 10), txt("a", 10, ours(1, "x:1")...)),
		response(ptr("a", 0), txt("a", 0, ours(1, "x:1")...)),
		response(ptr("a", 10), srv("a", 10, 80, 1, "h.local."), txt("a", 10, "path=/x", "blue"), a("h.local.", 10, true, 192, 0, 2, 1)),
		announcement("orders", "x", "ashlar=1", "service=orders", "weight=x"),
		{Questions: []dnsmessage.Question{{Name: dnsmessage.MustNewName(typ), Type: dnsmessage.TypePTR, Class: dnsmessage.ClassINET}}},
	}
	for _, m := range seeds {
		data, err := m.Pack()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data, data)
		f.Add(data[:len(data)/2], []byte(nil))
	}
	f.Fuzz(func(t *testing.T, first, second []byte) {
		c := mdns.NewCache("orders")
		now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		end := now.Add(time.Hour)
		_ = c.Hear(first, "eth0", now) // an error is what most of it is
		_ = c.Hear(second, "eth1", now)
		for turn := 0; now.Before(end); turn++ {
			questions, set, invalid := c.At(now)
			for _, i := range set {
				if err := i.Check(); err != nil {
					t.Errorf("%+v: %v", i, err)
				}
			}
			for _, e := range invalid {
				if e.Entry == "" || e.Err == nil {
					t.Errorf("want an entry and an error, have %v", e)
				}
			}
			for _, data := range mdns.Queries(questions, nil) {
				if len(data) > mdns.MaxMessage {
					t.Errorf("a query of %d bytes", len(data))
				}
			}
			next := c.Next(now)
			if !next.After(now) || turn > 10_000 {
				t.Fatalf("turn %d: want a time after %v, have %v", turn, now, next)
			}
			now = next
		}
	})
}
