package load

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"strconv"
)

// bufferSize holds the large reply, so that it costs few reads.
const bufferSize = 128 << 10

// conn is one keep-alive connection.
type conn struct {
	nc      net.Conn
	r       *bufio.Reader
	request []byte
	want    []byte // the body of the first reply
	body    []byte // of the latest
}

func newConn(nc net.Conn, request []byte) *conn {
	return &conn{nc: nc, r: bufio.NewReaderSize(nc, bufferSize), request: request}
}

// learn calls once, and takes the reply as the one to expect if check has no error for it.
func (c *conn) learn(check func([]byte) error) error {
	if err := c.roundTrip(); err != nil {
		return err
	}
	if err := check(c.body); err != nil {
		return err
	}
	c.want = bytes.Clone(c.body)
	return nil
}

func (c *conn) call() error {
	if err := c.roundTrip(); err != nil {
		return err
	}
	if !bytes.Equal(c.want, c.body) {
		return fmt.Errorf("a reply differs from the first: want %d bytes %.80q, have %d bytes %.80q", len(c.want), c.want, len(c.body), c.body)
	}
	return nil
}

func (c *conn) roundTrip() error {
	if _, err := c.nc.Write(c.request); err != nil {
		return err
	}
	length, err := c.head()
	if err != nil {
		return err
	}
	c.body = c.body[:0]
	if length >= 0 {
		return c.read(length)
	}
	return c.chunks()
}

// head reads the status line and the header, and returns the length of the body, or -1 when it comes in chunks.
func (c *conn) head() (int, error) {
	line, err := c.line()
	if err != nil {
		return 0, err
	}
	if !bytes.HasPrefix(line, []byte("HTTP/1.1 200 ")) {
		return 0, fmt.Errorf("want status 200, have %q", line)
	}
	length, chunked := -1, false
	for {
		line, err := c.line()
		if err != nil {
			return 0, err
		}
		if len(line) == 0 {
			break
		}
		name, value, _ := bytes.Cut(line, []byte(": "))
		switch {
		case bytes.EqualFold(name, []byte("Content-Length")):
			if length, err = strconv.Atoi(string(value)); err != nil {
				return 0, fmt.Errorf("the header %q: %w", line, err)
			}
		case bytes.EqualFold(name, []byte("Transfer-Encoding")):
			chunked = bytes.EqualFold(value, []byte("chunked"))
		}
	}
	if chunked == (length >= 0) {
		return 0, fmt.Errorf("want a Content-Length or chunks, have length %d and chunked %t", length, chunked)
	}
	return length, nil
}

func (c *conn) chunks() error {
	for {
		line, err := c.line()
		if err != nil {
			return err
		}
		size, err := strconv.ParseUint(string(line), 16, 31)
		if err != nil {
			return fmt.Errorf("the chunk size %q: %w", line, err)
		}
		if err := c.read(int(size)); err != nil {
			return err
		}
		if end, err := c.line(); err != nil || len(end) != 0 {
			return fmt.Errorf("want the end of a chunk, have %q: %w", end, err)
		}
		if size == 0 {
			return nil
		}
	}
}

func (c *conn) read(n int) error {
	have := len(c.body)
	if cap(c.body)-have < n {
		c.body = append(make([]byte, 0, 2*(have+n)), c.body...)
	}
	c.body = c.body[:have+n]
	_, err := io.ReadFull(c.r, c.body[have:])
	return err
}

func (c *conn) line() ([]byte, error) {
	line, err := c.r.ReadSlice('\n')
	if err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(line[:len(line)-1], []byte("\r")), nil
}
