package testserver_test

import (
	"context"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/ashlar-go/ashlar/internal/testserver"
)

func TestADNSServerAnswersWithTheNewestRecords(t *testing.T) {
	t.Parallel()
	s := testserver.StartDNS(t, "example.test", "a A 127.0.0.2")
	look := func() []string {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		r := net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, s.Address)
		}}
		found, err := r.LookupHost(ctx, "a.example.test.")
		if err != nil {
			t.Log(err)
		}
		return found
	}
	set := func(records string) {
		t.Helper()
		if err := s.SetRecords(records); err != nil {
			t.Fatal(err)
		}
	}
	if have := look(); !slices.Equal(have, []string{"127.0.0.2"}) {
		t.Errorf("want 127.0.0.2, have %v", have)
	}
	set("a A 127.0.0.3")
	if have := look(); !slices.Equal(have, []string{"127.0.0.3"}) {
		t.Errorf("want 127.0.0.3, have %v", have)
	}
	s.Suspend()
	if have := look(); have != nil {
		t.Errorf("suspended: want nothing, have %v", have)
	}
	s.Stop()
	set("a A 127.0.0.4")
	s.Start()
	if have := look(); !slices.Equal(have, []string{"127.0.0.4"}) {
		t.Errorf("started again: want 127.0.0.4, have %v", have)
	}
}
