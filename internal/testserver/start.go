package testserver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

// server is a pointer to a struct that embeds *Process.
type server interface {
	base() *Process
	Stop()
}

// base returns the process.
func (p *Process) base() *Process { return p }

// startServers starts the servers that prepare returns, at once, since those of a cluster wait for each other. Where somebody else has
// taken a port meanwhile, it starts others, on other ports.
func startServers[S server](t testing.TB, name string, prepare func() []S) []S {
	t.Helper()
	const attempts = 5
	for attempt := 1; ; attempt++ {
		servers := prepare()
		err := startAll(servers)
		if err == nil {
			return servers
		}
		taken := false
		for _, s := range servers {
			taken = taken || strings.Contains(strings.ToLower(s.base().tail()), "address already in use")
			s.Stop()
		}
		if !taken || attempt == attempts {
			t.Fatalf("testserver: %s: %v\n%s", name, err, servers[0].base().tail())
		}
	}
}

func startAll[S server](servers []S) error {
	failures := make(chan error, len(servers))
	for _, s := range servers {
		go func() { failures <- s.base().start() }()
	}
	var all error
	for range servers {
		all = errors.Join(all, <-failures)
	}
	return all
}

// get reads a page, which is an error unless it is there.
func get(ctx context.Context, url string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	return read(http.DefaultClient, request)
}

// read returns what a request is answered, which is an error unless it is 200.
func read(client *http.Client, request *http.Request) ([]byte, error) {
	request.Close = true // no connection stays
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: HTTP %d: %s", request.URL, response.StatusCode, text)
	}
	return text, err
}
