package natstransport_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/transport/nats"
)

func TestSubject(t *testing.T) {
	t.Parallel()
	for spec, want := range map[endpoint.Spec]string{
		{Service: "orders", Method: "Place"}:         "orders.Place",
		{Service: "shop.v1.Orders", Method: "Place"}: "shop.v1.Orders.Place",
		{Method: "Place"}:                            "Place",
		{Service: "größe", Method: "Maß"}:            "größe.Maß",
		{}:                                           "! a subject is not empty",
		{Service: "orders"}:                          "! empty token",
		{Service: ".orders", Method: "Place"}:        "! empty token",
		{Service: "orders", Method: "Place."}:        "! empty token",
		{Service: "a..b", Method: "Place"}:           "! empty token",
		{Service: "orders", Method: "Place it"}:      "! the character ' '",
		{Service: "orders", Method: "Place\n"}:       "! the character '\\n'",
		{Service: "orders", Method: "*"}:             "! the character '*'",
		{Service: "orders", Method: ">"}:             "! the character '>'",
		{Service: "orders", Method: "a\xff"}:         "! the character",
		{Service: "$SYS", Method: "Place"}:           "! keeps for itself",
		{Service: "_INBOX", Method: "Place"}:         "! keeps for itself",
	} {
		have, err := natstransport.Subject(spec)
		if problem, bad := strings.CutPrefix(want, "! "); bad {
			if err == nil || !strings.Contains(err.Error(), problem) {
				t.Errorf("%q: want %s, have %q, %v", spec.Operation(), problem, have, err)
			}
		} else if err != nil || have != want {
			t.Errorf("%q: want %q, have %q, %v", spec.Operation(), want, have, err)
		}
	}
}

func TestMistakesOfServersPanic(t *testing.T) {
	t.Parallel()
	unary := func(opts ...natstransport.ServerOption) func() {
		return func() { natstransport.NewServer(unarySpec, double, opts...) }
	}
	stream := func(opts ...natstransport.ServerOption) func() {
		return func() { natstransport.NewStreamServer(streamSpec, echo, opts...) }
	}
	kind := func(kind endpoint.Kind) func() {
		return func() { natstransport.NewStreamServer(endpoint.Spec{Method: "A", Kind: kind}, echo) }
	}
	for want, f := range map[string]func(){
		"the stream is nil":                      func() { natstransport.NewStreamServer[int, int](streamSpec, nil) },
		"use NewServer":                          kind(endpoint.Unary),
		"the kind 9 is unknown":                  kind(9),
		"ServerWindow of 0 messages":             stream(natstransport.ServerWindow(0, 1)),
		"messages and 0 bytes":                   stream(natstransport.ServerWindow(1, 0)),
		"ServerHeartbeat of 1ms":                 stream(natstransport.ServerHeartbeat(time.Millisecond)),
		"ServerHeartbeat of 2h0m0s":              stream(natstransport.ServerHeartbeat(2 * time.Hour)),
		"ServerWindow is for streams":            unary(natstransport.ServerWindow(1, 1)),
		"ServerHeartbeat is for streams":         unary(natstransport.ServerHeartbeat(time.Second)),
		"the endpoint is nil":                    func() { natstransport.NewServer[int, int](unarySpec, nil) },
		"use NewStreamServer":                    func() { natstransport.NewServer(endpoint.Spec{Method: "A", Kind: endpoint.ServerStream}, double) },
		"makes no subject":                       func() { natstransport.NewServer(endpoint.Spec{}, double) },
		"ServerSubject:":                         unary(natstransport.ServerSubject("a.*")),
		"ServerPrefix:":                          unary(natstransport.ServerPrefix("a.*")),
		"ServerQueueGroup: the":                  unary(natstransport.ServerQueueGroup("")),
		"ServerQueueGroup: \"a b\"":              unary(natstransport.ServerQueueGroup("a b")),
		"ServerMaxRequest of 0":                  unary(natstransport.ServerMaxRequest(0)),
		"ServerMaxInFlight of 0":                 unary(natstransport.ServerMaxInFlight(0)),
		"ServerMaxInFlight of -1":                unary(natstransport.ServerMaxInFlight(-1)),
		"at least one codec":                     unary(natstransport.ServerCodecs()),
		"ServerMiddleware: function 0 is nil":    unary(natstransport.ServerMiddleware(nil)),
		"ServerBefore: function 0 is nil":        unary(natstransport.ServerBefore(nil)),
		"ServerAfter: function 0 is nil":         unary(natstransport.ServerAfter(nil)),
		"ServerFinalizer: function 0 is nil":     unary(natstransport.ServerFinalizer(nil)),
		"ServerErrorHandler: function 0 is nil":  unary(natstransport.ServerErrorHandler(nil)),
		"the list of options: function 0 is nil": unary(nil),
	} {
		func() {
			defer func() {
				have, _ := recover().(string)
				if !strings.HasPrefix(have, "natstransport: ") || !strings.Contains(have, "server of ") || !strings.Contains(have, want) {
					t.Errorf("want a panic with %q, have %q", want, have)
				}
			}()
			f()
		}()
	}
}

func TestMistakesOfClientsAreErrors(t *testing.T) {
	t.Parallel()
	conn := newBroker(t).conn()
	unary := func(spec endpoint.Spec, conn *natstransport.Conn, opts ...natstransport.ClientOption) func() error {
		return func() error { _, err := natstransport.NewClient[int, int](spec, conn, opts...); return err }
	}
	stream := func(spec endpoint.Spec, opts ...natstransport.ClientOption) func() error {
		return func() error { _, err := natstransport.NewStreamClient[int, int](spec, conn, opts...); return err }
	}
	for want, f := range map[string]func() error{
		"use NewClient": stream(endpoint.Spec{Method: "A", Kind: endpoint.Unary}),
		"stream client of numbers/Echo: ClientWindow of 0": stream(streamSpec, natstransport.ClientWindow(0, 1)),
		"ClientHeartbeat of 0s":                            stream(streamSpec, natstransport.ClientHeartbeat(0)),
		"ClientWindow is for streams":                      unary(unarySpec, conn, natstransport.ClientWindow(1, 1)),
		"ClientHeartbeat is for streams":                   unary(unarySpec, conn, natstransport.ClientHeartbeat(time.Second)),
		"the Conn is nil":                                  unary(unarySpec, nil),
		"use NewStreamClient":                              unary(endpoint.Spec{Method: "A", Kind: endpoint.ClientStream}, conn),
		"the kind 9 is unknown":                            unary(endpoint.Spec{Method: "A", Kind: 9}, conn),
		"makes no subject":                                 unary(endpoint.Spec{}, conn),
		"ClientSubject:":                                   unary(unarySpec, conn, natstransport.ClientSubject("")),
		"ClientMaxResponse of 0":                           unary(unarySpec, conn, natstransport.ClientMaxResponse(0)),
		"at least one codec":                               unary(unarySpec, conn, natstransport.ClientCodecs()),
		"ClientBefore: function 0 is nil":                  unary(unarySpec, conn, natstransport.ClientBefore(nil)),
		"ClientAfter: function 0 is nil":                   unary(unarySpec, conn, natstransport.ClientAfter(nil)),
		"ClientFinalizer: function 0 is nil":               unary(unarySpec, conn, natstransport.ClientFinalizer(nil)),
		"the list of options: function 0 is nil":           unary(unarySpec, conn, nil),
	} {
		if err := f(); err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "natstransport: ") {
			t.Errorf("want %q, have %v", want, err)
		}
	}
}

func TestMistakesOfServicesAreErrors(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	nc, closed := b.connect(), b.connect()
	closed.Close()
	s := natstransport.NewServer(unarySpec, double)
	serve := func(nc *nats.Conn, name, version string, servers []*natstransport.Server, opts ...natstransport.ServiceOption) func() error {
		return func() error { _, err := natstransport.Serve(nc, name, version, servers, opts...); return err }
	}
	one := []*natstransport.Server{s}
	for want, f := range map[string]func() error{
		"the connection is nil":                       serve(nil, "a", "1.0.0", one),
		"the name \"\"":                               serve(nc, "", "1.0.0", one),
		"the name \"a b\"":                            serve(nc, "a b", "1.0.0", one),
		"the version \"1\"":                           serve(nc, "a", "1", one),
		"there are no servers":                        serve(nc, "a", "1.0.0", nil),
		"server 0 is nil":                             serve(nc, "a", "1.0.0", []*natstransport.Server{nil}),
		"two servers have the subject numbers.Double": serve(nc, "a", "1.0.0", []*natstransport.Server{s, s}),
		"ServiceGrace of -1ns":                        serve(nc, "a", "1.0.0", one, natstransport.ServiceGrace(-1)),
		"ServiceErrorHandler: function 0 is nil":      serve(nc, "a", "1.0.0", one, natstransport.ServiceErrorHandler(nil)),
		"nats: connection closed":                     serve(closed, "a", "1.0.0", one),
	} {
		if err := f(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, have %v", want, err)
		}
	}
	for want, nc := range map[string]*nats.Conn{"the connection is nil": nil, "connection closed": closed} {
		if _, err := natstransport.NewConn(nc); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, have %v", want, err)
		}
	}
	if n := nc.NumSubscriptions(); n > 0 {
		t.Errorf("want no subscription left, have %d", n)
	}
}

// A Server may be on several connections, and a service have several.
func TestServersAreValues(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	s := natstransport.NewServer(unarySpec, double, natstransport.ServerSubject("twice"))
	if s.Operation() != "numbers/Double" || s.Subject() != "twice" {
		t.Errorf("have %s, %s", s.Operation(), s.Subject())
	}
	b.serve(s)
	second := b.serve(s)
	call := client[*number, *number](t, b.conn(), natstransport.ClientSubject("twice"))
	for range 20 {
		if response, err := call(deadline(t), &number{1}); err != nil || response.N != 2 {
			t.Errorf("want 2, have %v, %v", response, err)
		}
	}
	if err := second.Shutdown(deadline(t)); err != nil {
		t.Error(err)
	}
	if response, err := call(deadline(t), &number{1}); err != nil || response.N != 2 {
		t.Errorf("the first goes on: want 2, have %v, %v", response, err)
	}
}

// Each request goes to one instance of a queue group, and to one of each group.
func TestQueueGroups(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	served := make(chan string, 100)
	for _, group := range []string{"x", "x", "y"} {
		b.serve(natstransport.NewServer(unarySpec, func(context.Context, *number) (*number, error) {
			served <- group
			return &number{}, nil
		}, natstransport.ServerQueueGroup(group)))
	}
	const many = 20
	nc := b.connect()
	for range many {
		if err := nc.Publish("numbers.Double", []byte("{}")); err != nil {
			t.Fatal(err)
		}
	}
	count := map[string]int{}
	for range 2 * many {
		count[wait(t, served, "a request")]++
	}
	if count["x"] != many || count["y"] != many {
		t.Errorf("want %d in each group, have %v", many, count)
	}
}
