package dns

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// client asks servers. It is safe for concurrent use.
type client struct {
	*resolver

	first *atomic.Int64 // the server that has answered last is the first to be asked
}

// ask returns the first answer that says something about the name, of whichever server it comes from, or the errors of all of them.
func (c *client) ask(ctx context.Context, q question) (*response, error) {
	n := len(c.servers)
	errs := make([]error, n)
	for range c.attempts {
		first := int(c.first.Load())
		for i := range n {
			at := (first + i) % n
			r, err := c.askOne(ctx, c.servers[at], q)
			if err == nil {
				c.first.Store(int64(at))
				return r, nil
			}
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			errs[at] = fmt.Errorf("%s: %w", c.servers[at], err)
		}
	}
	return nil, fmt.Errorf("dns: %v: %w", q, errors.Join(errs...))
}

// askOne asks one server, once again without EDNS0 when it does not understand that (RFC 6891, 6.2.2).
func (c *client) askOne(ctx context.Context, server string, q question) (*response, error) {
	r, err := c.exchange(ctx, server, q, true)
	var refused *codeError
	if errors.As(err, &refused) && (refused.code == dnsmessage.RCodeFormatError || refused.code == dnsmessage.RCodeNotImplemented) {
		return c.exchange(ctx, server, q, false)
	}
	return r, err
}

// exchange asks over UDP, and over TCP when the answer does not fit.
func (c *client) exchange(ctx context.Context, server string, q question, edns bool) (*response, error) {
	message, id, err := q.pack(edns)
	if err != nil {
		return nil, err
	}
	r, err := c.over(ctx, "udp", server, func(conn net.Conn) (*response, error) { return overUDP(conn, message, id, q) })
	if err == nil && r.Truncated {
		r, err = c.over(ctx, "tcp", server, func(conn net.Conn) (*response, error) { return overTCP(conn, message, id, q) })
		if err == nil && r.Truncated {
			err = errors.New("the answer is truncated over TCP, too")
		}
	}
	if err != nil {
		return nil, err
	}
	return r, r.refusal()
}

// over speaks to a server, for no longer than the timeout.
func (c *client) over(ctx context.Context, network, server string, speak func(net.Conn) (*response, error)) (*response, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(ctx, network, server)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) }) // whatever waits ends
	defer stop()
	r, err := speak(conn)
	if err != nil && ctx.Err() != nil {
		return nil, fmt.Errorf("no answer over %s within %v: %w", network, c.timeout, ctx.Err())
	}
	return r, err
}

// messageStart is where a message begins that was packed with room for its length.
const messageStart = 2

func overUDP(conn net.Conn, message []byte, id uint16, q question) (*response, error) {
	if _, err := conn.Write(message[messageStart:]); err != nil {
		return nil, err
	}
	buf := make([]byte, udpBuffer)
	for {
		n, err := conn.Read(buf)
		if err != nil {
			return nil, err
		}
		r, err := unpack(buf[:n], id, q)
		if !errors.Is(err, errStray) { // else somebody else may have sent it
			return r, err
		}
	}
}

func overTCP(conn net.Conn, message []byte, id uint16, q question) (*response, error) {
	binary.BigEndian.PutUint16(message, uint16(len(message)-messageStart))
	if _, err := conn.Write(message); err != nil {
		return nil, err
	}
	var length [messageStart]byte
	if _, err := io.ReadFull(conn, length[:]); err != nil {
		return nil, err
	}
	buf := make([]byte, binary.BigEndian.Uint16(length[:]))
	if _, err := io.ReadFull(conn, buf); err != nil {
		return nil, err
	}
	return unpack(buf, id, q)
}
