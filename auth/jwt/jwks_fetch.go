package jwtauth

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// checkURL says why keys are not to be fetched from there.
func checkURL(text string, plaintext bool) error {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.Hostname() == "":
		return errors.New("the URL is none that is absolute")
	case u.User != nil:
		return errors.New("the URL has a name or a password in it, which would be written to logs")
	case u.Fragment != "":
		return errors.New("the URL has a fragment")
	case u.Scheme == "https", u.Scheme == "http" && (plaintext || loopback(u.Hostname())):
		return nil
	case u.Scheme == "http":
		return errors.New("the URL is one of http, over which anybody on the way can put in keys; JWKSPlaintext does it all the same")
	}
	return fmt.Errorf("the URL has the scheme %q, want https", u.Scheme)
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// httpClient returns a client that follows no redirects: they could lead to plaintext, or into a network that only this service reaches.
func httpClient(own *http.Client) *http.Client {
	client := &http.Client{Transport: &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
		ForceAttemptHTTP2:      true,
		DisableKeepAlives:      true, // it is minutes to the next request
		MaxResponseHeaderBytes: 64 << 10,
	}}
	if own != nil {
		copied := *own
		client = &copied
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return client
}

// fetch asks the server once, and returns the keys, and what was left out.
func (j *JWKS) fetch() (got *published, skipped []error, err error) {
	defer func() {
		if value := recover(); value != nil { // of the transport of JWKSClient
			got, err = nil, fmt.Errorf("fetching panicked: %v", value)
		}
	}()
	ctx, cancel := context.WithTimeout(j.ctx, j.config.timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, j.url, http.NoBody)
	if err != nil {
		return nil, nil, err
	}
	request.Header.Set("Accept", "application/jwk-set+json, application/json")
	response, err := j.client.Do(request)
	if err != nil {
		return nil, nil, fmt.Errorf("fetching: %w", withoutURL(err))
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return nil, nil, fmt.Errorf("the server answered %d", response.StatusCode)
	}
	text, err := io.ReadAll(io.LimitReader(response.Body, int64(j.config.bytes)+1))
	switch {
	case err != nil:
		return nil, nil, fmt.Errorf("reading the answer: %w", err)
	case len(text) > j.config.bytes:
		return nil, nil, fmt.Errorf("the answer has more than %d bytes", j.config.bytes)
	}
	keys, skipped, err := parseSet(text, &j.config)
	if err != nil {
		return nil, nil, brief(fmt.Errorf("the answer: %w", err), 1024)
	}
	now := time.Now()
	j.keepSame(keys)
	return &published{keys: keys, at: now, fresh: min(max(freshness(response.Header, now), j.config.least), j.config.most)}, skipped, nil
}

// keepSame has keys that did not change be the same value, so that what was verified with them stands.
func (j *JWKS) keepSame(keys map[string]*Key) {
	before := j.current.Load()
	if before == nil {
		return
	}
	for id, k := range keys {
		if b := before.keys[id]; b != nil && b.same(k) {
			keys[id] = b
		}
	}
}

// withoutURL takes the URL off, in whose query there may be a secret.
func withoutURL(err error) error {
	if e, is := errors.AsType[*url.Error](err); is {
		return e.Err
	}
	return err
}

// freshness returns for how long an answer is fresh (RFC 9111, section 4.2.1); longer than any JWKSFresh where it does not say.
func freshness(header http.Header, now time.Time) time.Duration {
	const unsaid = 365 * 24 * time.Hour
	aged := time.Duration(-1)
	for field := range strings.SplitSeq(strings.Join(header.Values("Cache-Control"), ","), ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(field), "=")
		switch strings.ToLower(name) {
		case "no-store", "no-cache":
			return 0
		case "max-age":
			aged = max(seconds(strings.Trim(value, `"`))-seconds(header.Get("Age")), 0)
		}
	}
	if aged >= 0 {
		return aged
	}
	expires := header.Get("Expires")
	if expires == "" {
		return unsaid
	}
	until, err := http.ParseTime(expires)
	if err != nil {
		return 0 // as RFC 9111, section 5.3, has it
	}
	if date, err := http.ParseTime(header.Get("Date")); err == nil {
		now = date
	}
	return until.Sub(now)
}

// seconds is what a field says, 0 for what is none.
func seconds(text string) time.Duration {
	n, err := strconv.ParseUint(text, 10, 31)
	if err != nil {
		return 0
	}
	return time.Duration(n) * time.Second
}
