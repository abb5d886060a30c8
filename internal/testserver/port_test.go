package testserver_test

import (
	"net/url"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/ashlar-go/ashlar/internal/testserver"
)

// Linux gives outgoing connections, and whoever listens on port 0, a port of ip_local_port_range: a server that is started again on its port
// would find one of those on it now and then.
func TestAServerHasAPortThatNobodyIsGivenMeanwhile(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range")
	if err != nil {
		t.Skip(err)
	}
	lowest, err := strconv.Atoi(strings.Fields(string(text))[0])
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		at, err := url.Parse(testserver.StartEureka(t).URL)
		if err != nil {
			t.Fatal(err)
		}
		if port, err := strconv.Atoi(at.Port()); err != nil || port >= lowest {
			t.Errorf("want a port below %d, have %s, %v", lowest, at.Port(), err)
		}
	}
}
