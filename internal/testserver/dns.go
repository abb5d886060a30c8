package testserver

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// DNS is a Knot DNS server that is the authority for one zone. It keeps its port and the zone when it is stopped or killed and started
// again.
type DNS struct {
	*Process

	// Address is where it answers, over UDP and TCP.
	Address string
	// Zone is the name of its zone, without a dot at its end.
	Zone string

	file   string
	serial int
}

// DNSNegativeTTL is for how long it holds that there is nothing in the zone of a DNS.
const DNSNegativeTTL = time.Second

// StartDNS starts a server for the zone, with records as SetRecords takes them.
func StartDNS(t testing.TB, zone, records string) *DNS {
	t.Helper()
	program := Installed(t, "knot", "knotd")
	return startServers(t, "knotd", func() []*DNS { return []*DNS{newDNS(t, program, zone, records)} })[0]
}

func newDNS(t testing.TB, program, zone, records string) *DNS {
	t.Helper()
	dir := t.TempDir()
	port := freePorts(t, 1)[0]
	s := &DNS{Address: net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), Zone: zone, file: filepath.Join(dir, "zone")}
	lines := []string{
		"server:",
		"  rundir: " + dir,
		fmt.Sprintf("  listen: 127.0.0.1@%d", port),
		"  udp-workers: 1",
		"  tcp-workers: 1",
		"  background-workers: 1",
		"database:",
		"  storage: " + dir,
		"log:",
		"  - target: stderr",
		"    any: info",
		"zone:",
		"  - domain: " + zone,
		"    file: " + s.file,
		"    zonefile-sync: -1", // the file is the test's
		"    journal-content: none",
	}
	conf := filepath.Join(dir, "knot.conf")
	if err := os.WriteFile(conf, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.Process = newProcess(t, "knotd", dir, []string{program, "-c", conf}, s.serves)
	if err := s.write(records); err != nil {
		t.Fatal(err)
	}
	return s
}

// SetRecords makes these the records of the zone, in the form of a zone file with names that are relative to it and a time to live of a
// second where none is given, and waits until the server answers with them, if it runs.
func (s *DNS) SetRecords(records string) error {
	if err := s.write(records); err != nil || !s.running() {
		return err
	}
	s.signal(syscall.SIGHUP)
	return s.await()
}

func (s *DNS) write(records string) error {
	s.serial++
	negative := int(DNSNegativeTTL / time.Second)
	text := fmt.Sprintf("$ORIGIN %s.\n$TTL 1\n@ %d SOA server me %d 3600 600 86400 %d\nserver A 127.0.0.1\n@ NS server\n_serial TXT %q\n%s\n",
		s.Zone, negative, s.serial, negative, s.text(), records)
	return os.WriteFile(s.file, []byte(text), 0o600)
}

// text tells the zone from the one before it.
func (s *DNS) text() string { return "serial " + strconv.Itoa(s.serial) }

// serves asks the server for the zone.
func (s *DNS) serves(ctx context.Context) error {
	resolver := net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, s.Address)
	}}
	texts, err := resolver.LookupTXT(ctx, "_serial."+s.Zone+".")
	if err == nil && !slices.Contains(texts, s.text()) {
		err = fmt.Errorf("it answers with %q, want %q", texts, s.text())
	}
	return err
}
