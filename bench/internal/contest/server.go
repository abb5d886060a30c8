package contest

import (
	"log"
	"net"
	"net/http"
)

// Serve serves h with the default settings of http.Server on a free port of the loopback interface, until standard input
// ends. It is the main function of a server contestant.
func Serve(h http.Handler) {
	ServeListener(func(l net.Listener) error { return (&http.Server{Handler: h}).Serve(l) })
}

// ServeListener is Serve for a contestant that brings a server of its own.
func ServeListener(accept func(net.Listener) error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go func() { log.Fatal(accept(l)) }()
	if err := serve(Hello{Address: l.Addr().String()}, nil); err != nil {
		log.Fatal(err)
	}
}

// Wait is Serve for a contestant that serves something else than connections of its own: it waits until standard input ends.
func Wait() {
	if err := serve(Hello{}, nil); err != nil {
		log.Fatal(err)
	}
}
