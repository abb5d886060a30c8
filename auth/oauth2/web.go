package oauth2auth

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/ashlar-go/ashlar/internal/option"
)

const (
	// DefaultTimeout is how long one question may take; see Timeout.
	DefaultTimeout = 5 * time.Second
	// MaxAnswer is the most bytes that are read of an answer: 256 KiB, after decompression. A longer one is an error.
	MaxAnswer = 256 << 10
)

// web is how the other side is spoken to.
type web struct {
	client    *http.Client
	timeout   time.Duration
	plaintext bool
}

// HTTPOption configures how the server is spoken to, in all that speaks to one.
type HTTPOption func(*web) error

// HTTPClient sets the client by which the server is asked: for roots of its own, certificates, a proxy. Its CheckRedirect is not used,
// since redirects are not followed, and its answers are limited all the same. Without it there is one that nobody else shares.
func HTTPClient(client *http.Client) HTTPOption {
	return func(w *web) error {
		if w.client = client; client == nil {
			return errors.New("HTTPClient(nil)")
		}
		return nil
	}
}

// Timeout sets how long a question to the server may take; 5 s if it is not given. It can be from 1 ms to 1 min.
func Timeout(d time.Duration) HTTPOption {
	return func(w *web) error {
		w.timeout = d
		return option.Within("Timeout", d, time.Millisecond, time.Minute)
	}
}

// Plaintext takes http where https is asked for otherwise, on other machines than this one, too. Whoever is on the way there reads the
// secrets and answers as they like: it is for networks that encrypt by themselves.
func Plaintext() HTTPOption {
	return func(w *web) error {
		w.plaintext = true
		return nil
	}
}

// endpoint returns an address that may be asked. What is wrong with it is said without the address, which may have a password in it.
func (w *web) endpoint(name, address string) (*url.URL, error) {
	u, err := url.Parse(address)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s is no URL", name)
	case u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "":
		return nil, fmt.Errorf("%s is no URL with https and a host", name)
	case u.User != nil:
		return nil, fmt.Errorf("%s has a user in it", name)
	case u.Fragment != "":
		return nil, fmt.Errorf("%s has a fragment", name)
	case u.Scheme == "http" && !w.plaintext && !loopback(u.Hostname()):
		return nil, fmt.Errorf("%s has http, want https; Plaintext does without", name)
	}
	return u, nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback() || strings.EqualFold(host, "localhost")
}

// bounded returns the client for all questions. Connections of its own stay for a while where keep says so.
func (w *web) bounded(keep bool) *http.Client {
	var c http.Client
	if w.client != nil {
		c = *w.client
	} else {
		c.Transport = &http.Transport{
			Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true, DisableKeepAlives: !keep,
			MaxIdleConnsPerHost: idlePerHost, IdleConnTimeout: idleTimeout, MaxResponseHeaderBytes: MaxAnswer,
		}
	}
	if c.Transport == nil {
		c.Transport = http.DefaultTransport
	}
	c.Transport = &bounded{next: c.Transport, own: w.client == nil}
	return &c
}

const (
	idlePerHost = 16
	idleTimeout = 30 * time.Second
)

// bounded is an http.RoundTripper that follows nobody, and reads no more than MaxAnswer.
type bounded struct {
	next http.RoundTripper
	own  bool
}

// RoundTrip refuses redirects here already, so that the client has nothing to follow.
func (b *bounded) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := b.next.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	if response.StatusCode >= 300 && response.StatusCode < 400 {
		_ = response.Body.Close()
		return nil, fmt.Errorf("the answer is a redirect, HTTP %d, which is not followed", response.StatusCode)
	}
	response.Body = &limited{ReadCloser: response.Body, left: MaxAnswer}
	return response, nil
}

// CloseIdleConnections closes those that nobody else has.
func (b *bounded) CloseIdleConnections() {
	if t, is := b.next.(*http.Transport); is && b.own {
		t.CloseIdleConnections()
	}
}

var errTooLong = fmt.Errorf("the answer has more than %d bytes", MaxAnswer)

// limited is a body that fails where it is longer than it may be.
type limited struct {
	io.ReadCloser

	left int
}

// Read reads one byte more than there may be, by which it knows.
func (l *limited) Read(p []byte) (int, error) {
	if len(p) > l.left+1 {
		p = p[:l.left+1]
	}
	n, err := l.ReadCloser.Read(p)
	if l.left -= n; l.left < 0 {
		return 0, errTooLong
	}
	return n, err
}

// get returns what is answered with 200.
func get(ctx context.Context, client *http.Client, address string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return nil, errors.New("the address is wrong")
	}
	request.Header.Set("Accept", "application/json")
	response, err := client.Do(request)
	if err != nil {
		return nil, bare(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, &EndpointError{Status: response.StatusCode}
	}
	return io.ReadAll(response.Body)
}
