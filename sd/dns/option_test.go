package dns_test

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ashlar-go/ashlar/sd/dns"
	"github.com/ashlar-go/ashlar/sd/internal/watchtest"
)

func TestWrongOptionsAndNamesAreRefused(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", 64)
	tests := map[string]struct {
		name string
		opts []dns.InstancerOption
	}{
		"the name is empty":               {},
		"a label of 0 bytes":              {name: "a..b"},
		"a label of 64 bytes":             {name: "a." + long},
		"more than 254":                   {name: strings.Repeat("a.", 150)},
		"Punycode":                        {name: "bücher.example"},
		"an option is nil":                {name: "a", opts: []dns.InstancerOption{nil}},
		"InstancerServers(\"ns.x\")":      {name: "a", opts: []dns.InstancerOption{dns.InstancerServers("::1", "127.0.0.1:5353", "ns.x")}},
		"InstancerServers: there is none": {name: "a", opts: []dns.InstancerOption{dns.InstancerServers()}},
		"InstancerSearch: there is no":    {name: "a", opts: []dns.InstancerOption{dns.InstancerSearch()}},
		"InstancerSearch: the name":       {name: "a", opts: []dns.InstancerOption{dns.InstancerSearch("ok.", "not ok")}},
		"InstancerNdots(16)":              {name: "a", opts: []dns.InstancerOption{dns.InstancerNdots(16)}},
		"InstancerTimeout(0s)":            {name: "a", opts: []dns.InstancerOption{dns.InstancerTimeout(0)}},
		"InstancerAttempts(0)":            {name: "a", opts: []dns.InstancerOption{dns.InstancerAttempts(0)}},
		"InstancerMinTTL(-1s)":            {name: "a", opts: []dns.InstancerOption{dns.InstancerMinTTL(-time.Second)}},
		"InstancerMaxTTL(0s)":             {name: "a", opts: []dns.InstancerOption{dns.InstancerMaxTTL(0)}},
		"is more than":                    {name: "a", opts: []dns.InstancerOption{dns.InstancerMinTTL(time.Hour)}},
		"InstancerNetwork(\"tcp\")":       {name: "a", opts: []dns.InstancerOption{dns.InstancerNetwork("tcp")}},
		"InstancerResolvConf":             {name: "a", opts: []dns.InstancerOption{dns.InstancerResolvConf("")}},
	}
	for text, test := range tests {
		if text == "an option is nil" {
			text = "function 0 is nil"
		}
		if _, err := dns.NewSRV(test.name, test.opts...); !contains(err, text) {
			t.Errorf("NewSRV: want an error with %q, have %v", text, err)
		}
		if _, err := dns.NewHost(test.name, 80, test.opts...); !contains(err, text) {
			t.Errorf("NewHost: want an error with %q, have %v", text, err)
		}
	}
	for _, port := range []int{-1, 0, 65536} {
		if _, err := dns.NewHost("a", port); !contains(err, "want 1 to 65535") {
			t.Errorf("the port %d: want an error, have %v", port, err)
		}
	}
}

func TestResolvConfIsReadAsItsManualSays(t *testing.T) {
	t.Parallel()
	have := dns.ParseResolvConf(`# nameserver 10.9.9.9
; nameserver 10.9.9.8
nameserver 10.0.0.1
  nameserver fe80::1%eth0
nameserver not.an.address
nameserver
domain first.test
search a.test b.test. bad..name
options ndots:5 timeout:3 attempts:99 rotate ndots:x ndots:-1
unknown line
`)
	want := dns.Resolver{
		Servers: []string{"10.0.0.1:53", "[fe80::1%eth0]:53"}, Search: []string{"a.test", "b.test."}, Ndots: 5, Timeout: 3 * time.Second, Attempts: 5,
	}
	if !reflect.DeepEqual(want, have) {
		t.Errorf("want %v, have %v", want, have)
	}
}

func TestOptionsCountBeforeResolvConf(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "resolv.conf")
	if err := os.WriteFile(path, []byte("search x.test\noptions timeout:1 attempts:1 ndots:2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	local := []string{"127.0.0.1:53", "[::1]:53"}
	given := []dns.InstancerOption{
		dns.InstancerSearch("y.test"), dns.InstancerSearch("z.test"), dns.InstancerNdots(0),
		dns.InstancerTimeout(time.Minute), dns.InstancerAttempts(7),
	}
	tests := []struct {
		opts []dns.InstancerOption
		want dns.Resolver
	}{
		{want: dns.Resolver{Servers: local, Search: []string{"x.test"}, Ndots: 2, Timeout: time.Second, Attempts: 1}},
		{opts: given, want: dns.Resolver{Servers: local, Search: []string{"y.test", "z.test"}, Timeout: time.Minute, Attempts: 7}},
		{
			opts: []dns.InstancerOption{dns.InstancerServers("10.0.0.1"), dns.InstancerServers("[::1]:5353", "::2")},
			want: dns.Resolver{
				Servers: []string{"10.0.0.1:53", "[::1]:5353", "[::2]:53"}, Ndots: 1,
				Timeout: dns.DefaultTimeout, Attempts: dns.DefaultAttempts,
			},
		},
	}
	for _, test := range tests {
		i, err := dns.NewSRV("a", append(test.opts, dns.InstancerResolvConf(path))...)
		if err != nil {
			t.Fatal(err)
		}
		if have, err := dns.ResolverOf(i); err != nil || !reflect.DeepEqual(test.want, have) {
			t.Errorf("want %v, have %v, %v", test.want, have, err)
		}
	}
}

func TestAResolvConfThatIsMissingIsAnErrorOfTheWatch(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "resolv.conf")
	w := watchtest.Start(t, newHost(t, "a", 80, dns.InstancerResolvConf(path)))
	if err := w.Fails(); !contains(err, path) {
		t.Errorf("want an error that names the file, have %v", err)
	}
}

func TestCandidatesAreInTheOrderOfTheManual(t *testing.T) {
	t.Parallel()
	search := []string{"x.test", "y.test."}
	tests := []struct {
		name  string
		ndots int
		want  []string
	}{
		{"a.", 1, []string{"a."}},
		{"a", 1, []string{"a.x.test.", "a.y.test.", "a."}},
		{"a", 0, []string{"a.", "a.x.test.", "a.y.test."}},
		{"a.b", 1, []string{"a.b.", "a.b.x.test.", "a.b.y.test."}},
		{"a.b", 2, []string{"a.b.x.test.", "a.b.y.test.", "a.b."}},
	}
	for _, test := range tests {
		if have := dns.Candidates(test.name, search, test.ndots); !slices.Equal(test.want, have) {
			t.Errorf("%s with ndots %d: want %v, have %v", test.name, test.ndots, test.want, have)
		}
	}
}
