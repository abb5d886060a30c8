package natstransport_test

import (
	"context"
	"encoding/json"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/internal/testserver"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport/nats"
)

// numbers is a service with all that can be said of one.
func numbers(t *testing.T, b *broker) (*natstransport.Service, *natstransport.Conn) {
	t.Helper()
	service, err := natstransport.Serve(b.connect(), "numbers", "1.2.3", []*natstransport.Server{
		natstransport.NewServer(unarySpec, func(_ context.Context, request *number) (*number, error) {
			if request.N < 0 {
				return nil, status.New(status.OutOfRange, "below 0")
			}
			return &number{2 * request.N}, nil
		}, natstransport.ServerQueueGroup("group"), natstransport.ServerMetadata(map[string]string{"owner": "us"}),
			natstransport.ServerMetadata(map[string]string{"tier": "1"})),
		natstransport.NewServer(endpoint.Spec{Service: "other.v1", Method: "Get"}, double),
		natstransport.NewServer(endpoint.Spec{Service: "more", Method: "Get"}, double),
	}, natstransport.ServiceDescription("what numbers are for"), natstransport.ServiceMetadata(map[string]string{"zone": "a"}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := service.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return service, b.conn()
}

// ask returns what the service says.
func ask[T any](t *testing.T, nc *nats.Conn, verb micro.Verb, name, id string) (answer T) {
	t.Helper()
	subject, err := micro.ControlSubject(verb, name, id)
	if err != nil {
		t.Fatal(err)
	}
	m, err := nc.Request(subject, nil, limit)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(m.Data, &answer); err != nil {
		t.Fatal(err)
	}
	return answer
}

func TestAServiceIsAMicroService(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	service, _ := numbers(t, b)
	nc := b.connect()
	for _, to := range [][2]string{{"", ""}, {"numbers", ""}, {"numbers", service.ID()}} {
		ping := ask[micro.Ping](t, nc, micro.PingVerb, to[0], to[1])
		if ping.Type != micro.PingResponseType || ping.Name != "numbers" || ping.ID != service.ID() || ping.Version != "1.2.3" || ping.Metadata["zone"] != "a" {
			t.Errorf("%v: have %+v", to, ping)
		}
		info := ask[micro.Info](t, nc, micro.InfoVerb, to[0], to[1])
		if info.Type != micro.InfoResponseType || info.ID != service.ID() || info.Description != "what numbers are for" || len(info.Endpoints) != 3 {
			t.Fatalf("%v: have %+v", to, info)
		}
		for i, want := range []micro.EndpointInfo{
			{Name: "Double", Subject: "numbers.Double", QueueGroup: "group"},
			{Name: "other-v1-Get", Subject: "other.v1.Get", QueueGroup: natstransport.DefaultQueueGroup},
			{Name: "more-Get", Subject: "more.Get", QueueGroup: "q"},
		} {
			have := info.Endpoints[i]
			if want.Name != have.Name || want.Subject != have.Subject || want.QueueGroup != have.QueueGroup || have.Metadata["ashlar.kind"] != "unary" {
				t.Errorf("%v: want %+v, have %+v", to, want, have)
			}
		}
		if have := info.Endpoints[0].Metadata; have["owner"] != "us" || have["tier"] != "1" || have["ashlar.operation"] != "numbers/Double" {
			t.Errorf("%v: metadata: have %v", to, have)
		}
	}
}

func TestStatisticsAreTrueThoughRequestsAreServedAtOnce(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	const callers, took = 20, 20 * time.Millisecond
	final := make(chan struct{}, callers+3)
	service := b.serve(natstransport.NewServer(unarySpec, func(_ context.Context, request *number) (*number, error) {
		if request.N < 0 {
			return nil, status.New(status.OutOfRange, "below 0")
		}
		timer := time.NewTimer(took)
		defer timer.Stop()
		<-timer.C
		return request, nil
	}, natstransport.ServerFinalizer(func(context.Context, natstransport.Outcome) { final <- struct{}{} })))
	call := client[*number, *number](t, b.conn())
	inFlight(callers, func() {
		if _, err := call(deadline(t), &number{}); err != nil {
			t.Error(err)
		}
	})
	for range 3 {
		if _, err := call(deadline(t), &number{-1}); err == nil {
			t.Error("want an error")
		}
	}
	nc := b.connect()
	var stats micro.Stats
	eventually(t, "the last of the requests", func() bool {
		stats = ask[micro.Stats](t, nc, micro.StatsVerb, "numbers", service.ID())
		return stats.Endpoints[0].NumRequests == callers+3
	})
	have := stats.Endpoints[0]
	if stats.Type != micro.StatsResponseType || time.Since(stats.Started) > time.Minute || have.Name != "Double" || have.Subject != "numbers.Double" {
		t.Errorf("have %+v", stats)
	}
	if have.NumErrors != 3 || have.LastError != "400:below 0" {
		t.Errorf("want 3 errors and the last one, have %d, %q", have.NumErrors, have.LastError)
	}
	if have.ProcessingTime < callers*took || have.ProcessingTime > callers*limit || have.AverageProcessingTime != have.ProcessingTime/(callers+3) {
		t.Errorf("want the sum of what all took, and the average, have %v, %v", have.ProcessingTime, have.AverageProcessingTime)
	}
	if want := `{"in_flight":0,"refused":0,"dropped":0}`; string(have.Data) != want {
		t.Errorf("want %s, have %s", want, have.Data)
	}
}

func TestStatisticsCountWhatWasRefused(t *testing.T) {
	t.Parallel()
	b, service, release := full(t, 2)
	call := client[*number, *number](t, b.conn())
	if _, err := call(deadline(t), &number{}); err == nil {
		t.Error("want a refusal")
	}
	have := ask[micro.Stats](t, b.connect(), micro.StatsVerb, "numbers", service.ID()).Endpoints[0]
	if want := `{"in_flight":2,"refused":1,"dropped":0}`; string(have.Data) != want || have.NumErrors != 1 || !strings.HasPrefix(have.LastError, "503:") {
		t.Errorf("want %s, have %s, %+v", want, have.Data, have)
	}
	release()
}

// The program that people use sees the service.
func TestTheNATSCommandLineSeesTheService(t *testing.T) {
	t.Parallel()
	program := testserver.Program(t, "nats")
	b := newBroker(t)
	service, conn := numbers(t, b)
	call := client[*number, *number](t, conn)
	for _, n := range []int{1, 2, -1} {
		_, err := call(deadline(t), &number{n})
		if (err != nil) != (n < 0) {
			t.Fatal(err)
		}
	}
	nc := b.connect()
	eventually(t, "the last request in the statistics", func() bool {
		return ask[micro.Stats](t, nc, micro.StatsVerb, "numbers", service.ID()).Endpoints[0].NumRequests == 3
	})
	run := func(args ...string) string {
		args = append([]string{"--server", b.URL, "--timeout", "2s"}, args...)
		cmd := exec.CommandContext(t.Context(), program, args...)
		cmd.Env = append(cmd.Environ(), "HOME="+t.TempDir(), "XDG_CONFIG_HOME="+t.TempDir())
		text, err := cmd.CombinedOutput()
		if err != nil {
			t.Errorf("%s: %v\n%s", cmd, err, text)
		}
		return string(text)
	}
	for name, row := range map[string]struct {
		args, want []string
	}{
		"ls":      {[]string{"micro", "ls"}, []string{"numbers", "1.2.3", service.ID(), "what numbers are for"}},
		"info":    {[]string{"micro", "info", "numbers", service.ID()}, []string{"what numbers are for", "Double", "numbers.Double", "group", "owner: us", "zone: a", "400:below 0"}},
		"ping":    {[]string{"micro", "ping", "numbers"}, []string{"numbers", service.ID()}},
		"request": {[]string{"request", "numbers.Double", `{"N":21}`}, []string{`{"N":42}`}},
		"stats":   {[]string{"micro", "stats", "numbers", service.ID()}, []string{"Double", service.ID(), "group"}},
	} {
		have := run(row.args...)
		for _, want := range row.want {
			if !strings.Contains(have, want) {
				t.Errorf("%s: want %q in\n%s", name, want, have)
			}
		}
	}
}
