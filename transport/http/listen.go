package httptransport

import (
	"context"
	"net"
	"net/http"
	"time"
)

// NewHTTPServer returns a server of handler that stands on the open network: every phase of a connection has a limit, and
// nothing is served that handler does not serve. All fields may be changed before it starts; a BaseContext of your own has to
// return a context made from that of this one, which Shutdown needs to know the streams. It panics for a nil handler, instead
// of falling back to http.DefaultServeMux.
//
//	ReadHeaderTimeout  10 s    a header that trickles in
//	ReadTimeout        60 s    a body that does; streams are exempt
//	WriteTimeout      120 s    a unary call, from its header to the last byte of its response; streams are exempt
//	IdleTimeout       120 s    a connection between two requests
//	MaxHeaderBytes     64 KiB
//	Protocols                  HTTP/1.1, HTTP/2 where TLS negotiates it, and HTTP/2 without TLS with prior knowledge (h2c)
//	HTTP2                      250 streams a connection; one that is silent for 30 s gets a ping, and 15 s to answer;
//	                           one that takes nothing off the network for 30 s is cut
//	ConnState                  tells Shutdown which connections there are; one of your own has to call it
func NewHTTPServer(handler http.Handler) *http.Server {
	if handler == nil {
		panic("httptransport: NewHTTPServer with a nil handler")
	}
	const (
		readHeader   = 10 * time.Second
		readAll      = 60 * time.Second
		writeAll     = 120 * time.Second
		idle         = 120 * time.Second
		headerBytes  = 64 << 10
		http2Streams = 250
		pingAfter    = 30 * time.Second
		pingLimit    = 15 * time.Second
		writeByte    = 30 * time.Second
	)
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true)
	protocols.SetUnencryptedHTTP2(true)
	base := newDrain()
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: readHeader,
		ReadTimeout:       readAll,
		WriteTimeout:      writeAll,
		IdleTimeout:       idle,
		MaxHeaderBytes:    headerBytes,
		Protocols:         protocols,
		HTTP2: &http.HTTP2Config{
			MaxConcurrentStreams: http2Streams, SendPingTimeout: pingAfter, PingTimeout: pingLimit, WriteByteTimeout: writeByte,
		},
		BaseContext:                  func(net.Listener) context.Context { return base },
		ConnState:                    base.conns.changed,
		DisableGeneralOptionsHandler: true,
	}
}
