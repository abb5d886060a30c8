package httptransport

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/ashlar-go/ashlar/internal/option"
)

// Conn is a base URL with the network connections to it. All clients of a service share one. It is safe for
// concurrent use.
type Conn struct {
	base   *url.URL
	client *http.Client
	own    *http.Transport // made by Dial; nil for a client that was given
}

// DialOption sets up a Conn.
type DialOption func(*dialConfig) error

type dialConfig struct {
	client    *http.Client
	tls       *tls.Config
	protocols *http.Protocols
}

// Dial returns a Conn to baseURL: "http://host:port" or "https://host", perhaps with a path that all routes begin with. It
// checks the URL and opens no connection; that happens with the first call. HTTP/2 is spoken where TLS negotiates it.
//
// Of the http.Transport that it makes, up to 100 connections to the host stay open while idle, for 90 s; connecting may take
// 5 s, as may the TLS handshake. An HTTP/2 connection on which nothing came for 30 s gets a ping, and is given up when that is
// not answered in 15 s. For a response it waits as long as the context of the call allows. Up to ten redirects are followed, to the
// same scheme, host and port alone: another one would get the header fields of the call, and the credentials in them.
func Dial(baseURL string, opts ...DialOption) (*Conn, error) {
	base, err := url.Parse(baseURL)
	switch {
	case err != nil:
		return nil, fmt.Errorf("httptransport: dial: %w", err)
	case base.Scheme != "http" && base.Scheme != "https":
		return nil, fmt.Errorf("httptransport: dial %q: the scheme is %q, want http or https", baseURL, base.Scheme)
	case base.Host == "":
		return nil, fmt.Errorf("httptransport: dial %q: there is no host", baseURL)
	case base.RawQuery != "" || base.Fragment != "":
		return nil, fmt.Errorf("httptransport: dial %q: a base URL has no query and no fragment", baseURL)
	}
	base.Path = strings.TrimSuffix(base.Path, "/")
	base.RawPath = strings.TrimSuffix(base.RawPath, "/")
	var config dialConfig
	if err := option.Set(&config, opts); err != nil {
		return nil, fmt.Errorf("httptransport: dial %q: %w", baseURL, err)
	}
	if config.client != nil && (config.tls != nil || config.protocols != nil) {
		return nil, fmt.Errorf("httptransport: dial %q: DialClient excludes the other options; set up its Transport instead", baseURL)
	}
	conn := &Conn{base: base, client: config.client}
	if conn.client == nil {
		conn.own = newTransport(&config)
		conn.client = &http.Client{Transport: conn.own}
	}
	if conn.client.CheckRedirect == nil {
		stays := *conn.client
		stays.CheckRedirect = stay
		conn.client = &stays
	}
	return conn, nil
}

// stay refuses redirects to another origin: net/http sends most header fields there, and all of them to another port, or without TLS.
func stay(next *http.Request, via []*http.Request) error {
	const most = 10
	switch first := via[0].URL; {
	case next.URL.Scheme != first.Scheme || !strings.EqualFold(next.URL.Host, first.Host):
		return fmt.Errorf("the redirect leads to another origin, %s://%s", next.URL.Scheme, next.URL.Host)
	case len(via) >= most:
		return fmt.Errorf("there were %d redirects", most)
	}
	return nil
}

// Dialer returns the function that dials the instances of a service for a pool, as that of package lb, each with connections of its own. An
// address is "host:port", or a base URL where there is more to say; without a scheme it is https if DialTLS is among opts, else http.
// It connects to the instance once, and closes that again, so that one which is not there is not used; with DialClient or a proxy of the
// environment it does not.
//
// It fails when an option is wrong, and the function when Dial does, when it cannot connect, and when ctx ends meanwhile.
func Dialer(opts ...DialOption) (func(ctx context.Context, address string) (*Conn, error), error) {
	var config dialConfig
	if err := option.Set(&config, opts); err != nil {
		return nil, fmt.Errorf("httptransport: Dialer: %w", err)
	}
	scheme := "http://"
	if config.tls != nil {
		scheme = "https://"
	}
	return func(ctx context.Context, address string) (*Conn, error) {
		if !strings.Contains(address, "://") {
			address = scheme + address
		}
		conn, err := Dial(address, opts...)
		if err != nil {
			return nil, err
		}
		if err := conn.knock(ctx); err != nil {
			return nil, fmt.Errorf("httptransport: dial %q: %w", address, err)
		}
		return conn, nil
	}, nil
}

// knock connects to the host, and closes that.
func (c *Conn) knock(ctx context.Context) error {
	if c.own == nil {
		return nil
	}
	if proxy, err := c.own.Proxy(&http.Request{URL: c.base}); proxy != nil || err != nil {
		return err
	}
	port := c.base.Port()
	if port == "" {
		port = c.base.Scheme
	}
	conn, err := c.own.DialContext(ctx, "tcp", net.JoinHostPort(c.base.Hostname(), port))
	if err != nil {
		return err
	}
	return conn.Close()
}

func newTransport(config *dialConfig) *http.Transport {
	const (
		idlePerHost    = 100
		idleTimeout    = 90 * time.Second
		connectTimeout = 5 * time.Second
		keepAlive      = 30 * time.Second
		pingAfter      = 30 * time.Second
		pingLimit      = 15 * time.Second
		bufferSize     = 16 << 10 // of net/http's 4 KiB a larger message costs many system calls
	)
	return &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: connectTimeout, KeepAlive: keepAlive}).DialContext,
		TLSClientConfig:       config.tls,
		TLSHandshakeTimeout:   connectTimeout,
		MaxIdleConnsPerHost:   idlePerHost,
		IdleConnTimeout:       idleTimeout,
		ExpectContinueTimeout: time.Second,
		ForceAttemptHTTP2:     true,
		Protocols:             config.protocols,
		HTTP2:                 &http.HTTP2Config{SendPingTimeout: pingAfter, PingTimeout: pingLimit},
		ReadBufferSize:        bufferSize,
		WriteBufferSize:       bufferSize,
	}
}

// DialClient uses client as it is, instead of one of the Conn's own, but for redirects where it has no CheckRedirect: then Dial says which
// are followed. It excludes the other options.
func DialClient(client *http.Client) DialOption {
	return func(c *dialConfig) error {
		if client == nil {
			return errors.New("DialClient of nil")
		}
		c.client = client
		return nil
	}
}

// DialTLS sets the TLS configuration of https connections; a nil config is the default one of crypto/tls.
func DialTLS(config *tls.Config) DialOption {
	return func(c *dialConfig) error {
		if config == nil {
			config = new(tls.Config)
		}
		c.tls = config
		return nil
	}
}

// DialH2C speaks HTTP/2 without TLS, which the server must do as well. Servers of NewHTTPServer do.
func DialH2C() DialOption {
	return func(c *dialConfig) error {
		c.protocols = new(http.Protocols)
		c.protocols.SetUnencryptedHTTP2(true)
		c.protocols.SetHTTP2(true)
		return nil
	}
}

// BaseURL returns the URL that the Conn was made for.
func (c *Conn) BaseURL() string { return c.base.String() }

// Close closes the idle connections; those in use close when they become idle. A client that was given with DialClient is left
// alone. Closing twice is harmless.
func (c *Conn) Close() error {
	if c.own != nil {
		c.own.CloseIdleConnections()
	}
	return nil
}
