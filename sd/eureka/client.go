package eureka

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/ashlar-go/ashlar/internal/option"
)

// Client knows the servers, and how to ask them. It is safe for concurrent use, and holds nothing that is to be closed.
type Client struct {
	http    *http.Client
	servers []*url.URL
	timeout time.Duration
	most    int
}

// ClientOption configures a Client.
type ClientOption func(*Client) error

// NewClient returns the Client of one or more servers, which replicate each other. They are given as the URLs below which they have "apps",
// such as "http://eureka-1:8761/eureka" of Spring or "http://eureka-1:8080/eureka/v2", in the order in which they are tried; each
// watch and registration stays with the one that answered. TLS and credentials are those of the http.Client, and credentials may be in
// the URLs. It asks the servers nothing yet; the error is about the arguments.
func NewClient(client *http.Client, servers []string, opts ...ClientOption) (*Client, error) {
	if client == nil {
		return nil, errors.New("eureka: NewClient: the http.Client is nil")
	}
	if len(servers) == 0 {
		return nil, errors.New("eureka: NewClient: there are no servers")
	}
	c := &Client{http: client, timeout: 3 * time.Second, most: 8 << 20}
	for _, server := range servers {
		u, err := base(server)
		if err != nil {
			return nil, fmt.Errorf("eureka: NewClient: %w", err)
		}
		c.servers = append(c.servers, u)
	}
	if err := option.Set(c, opts); err != nil {
		return nil, fmt.Errorf("eureka: NewClient: %w", err)
	}
	return c, nil
}

func base(server string) (*url.URL, error) {
	u, err := url.Parse(server)
	if err != nil {
		return nil, errors.New("the URL of a server cannot be read") // its text may hold a password
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" {
		return nil, fmt.Errorf("the URL of a server is %q, want one of http or https with a host, and without query and fragment", u.Redacted())
	}
	return u.Parse(strings.TrimRight(u.EscapedPath(), "/") + "/")
}

// ClientTimeout is how long a server may take to answer before the next is tried, from 10 ms to 1 min. The default is 3 s.
func ClientTimeout(timeout time.Duration) ClientOption {
	return func(c *Client) error {
		c.timeout = timeout
		return option.Within("ClientTimeout", timeout, 10*time.Millisecond, time.Minute)
	}
}

// ClientMaxResponse is how many bytes of an answer are read, from 1 KiB to 1 GiB; one that has more is an error. The default is 8 MiB.
func ClientMaxResponse(bytes int) ClientOption {
	return func(c *Client) error {
		c.most = bytes
		return option.Within("ClientMaxResponse", bytes, 1<<10, 1<<30)
	}
}
