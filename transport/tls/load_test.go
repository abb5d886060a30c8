package tlsconfig_test

import (
	"context"
	"crypto/tls"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/internal/testcert"
	httptransport "github.com/ashlar-go/ashlar/transport/http"
	tlsconfig "github.com/ashlar-go/ashlar/transport/tls"
)

// kinds of clients that share the load, each with its own connections.
func loadClients(t *testing.T, address string, config *tls.Config) (asks []endpoint.Endpoint[*question, *answer]) {
	t.Helper()
	for _, http2 := range []bool{false, true} {
		for _, once := range []bool{false, true} {
			protocols := new(http.Protocols)
			protocols.SetHTTP1(!http2)
			protocols.SetHTTP2(http2)
			carrier := &http.Transport{TLSClientConfig: config.Clone(), Protocols: protocols, DisableKeepAlives: once, MaxIdleConnsPerHost: 100}
			t.Cleanup(carrier.CloseIdleConnections)
			asks = append(asks, askHTTP(t, address, httptransport.DialClient(&http.Client{Transport: carrier})))
		}
	}
	return asks
}

// load asks 1,333 times a second until it is told to stop, as far as the machine can do it.
type load struct {
	asked, failed atomic.Int64
	first         atomic.Pointer[error]
	workers       sync.WaitGroup
}

func (l *load) run(ctx context.Context, asks []endpoint.Endpoint[*question, *answer], stop <-chan struct{}) {
	const (
		every   = 3 * time.Millisecond // each of the clients
		workers = 32
	)
	due := make(chan endpoint.Endpoint[*question, *answer], 1000)
	for range workers {
		l.workers.Go(func() {
			for ask := range due {
				l.asked.Add(1)
				if have, err := ask(ctx, &question{}); err != nil || have.Caller != buyerID {
					l.failed.Add(1)
					l.first.CompareAndSwap(nil, &err)
				}
			}
		})
	}
	l.workers.Go(func() {
		defer close(due)
		ticker := time.NewTicker(every)
		defer ticker.Stop()
		for {
			select {
			case <-stop:
				return
			case <-ticker.C:
				for _, ask := range asks {
					select {
					case due <- ask:
					default: // the machine is too slow
					}
				}
			}
		}
	})
}

// await returns how long it takes until new handshakes show the certificate.
func await(t *testing.T, address string, client *tls.Config, pair *testcert.Pair) time.Duration {
	t.Helper()
	began := time.Now()
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for {
		conn, err := tls.Dial("tcp", address, client)
		if err != nil {
			t.Fatal(err)
		}
		have := conn.ConnectionState().PeerCertificates[0]
		if err := conn.Close(); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); have.Equal(pair.Certificate) || took > time.Minute {
			return took
		}
		<-ticker.C
	}
}

// TestReloadUnderLoad has the figures of docs/tls.md: go test ./transport/tls -run ReloadUnderLoad -v.
func TestReloadUnderLoad(t *testing.T) {
	t.Parallel()
	p := newParties(t)
	asDefault := tlsconfig.SourceInterval(tlsconfig.DefaultInterval)
	server, client := source(t, p.server, asDefault), source(t, p.client, asDefault)
	address := serveHTTP(t, serverConfig(t, server, tlsconfig.ServerAllowIDs(buyerID)))
	config := clientConfig(t, client, tlsconfig.ClientAllowIDs(shopID))
	stop := make(chan struct{})
	var l load
	began := time.Now()
	l.run(t.Context(), loadClients(t, address, config), stop)
	var worst time.Duration
	const reloads = 10
	for i := range reloads {
		pair := p.root.Issue(t, leaf())
		if i%2 == 0 {
			pair = p.root.Intermediate(t, "middle").Issue(t, leaf())
		}
		p.client.put(t, p.root.Issue(t, buyer()), nil)
		p.server.put(t, pair, nil)
		worst = max(worst, await(t, address, config, pair))
	}
	took := time.Since(began)
	close(stop)
	l.workers.Wait()
	rate := float64(l.asked.Load()) / took.Seconds()
	t.Logf("%d reloads, %.0f requests a second, %d of %d failed, the new certificate after %v at worst",
		reloads, rate, l.failed.Load(), l.asked.Load(), worst.Round(time.Millisecond))
	limit := time.Second
	if rate < 1000 {
		limit = 10 * time.Second // a machine that cannot do so much lets all wait, the looks at the files among them
	}
	if worst > limit {
		t.Errorf("want the new certificate within %v, have it after %v", limit, worst)
	}
	if l.failed.Load() > 0 {
		t.Errorf("want none to fail, have %d of %d, the first with %v", l.failed.Load(), l.asked.Load(), *l.first.Load())
	}
	if have := server.Status(); have.Reloads != reloads || have.Err != nil {
		t.Errorf("want %d reloads, have %+v", reloads, have)
	}
}
