// Command floor serves from a loop over each connection, without any HTTP library, and understands no more than what the bench sends. It is
// no rival: it shows how much of a call is the system's and encoding/json's.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"strconv"

	"github.com/ashlar-go/ashlar/bench/internal/contest"
	"github.com/ashlar-go/ashlar/bench/internal/model"
)

func main() {
	contest.ServeListener(func(l net.Listener) error {
		for {
			c, err := l.Accept()
			if err != nil {
				return err
			}
			go serve(c)
		}
	})
}

func serve(c net.Conn) {
	defer c.Close()
	const bufferSize = 16 << 10
	r := bufio.NewReaderSize(c, bufferSize)
	var request, reply []byte
	for {
		path, length, err := head(r)
		if err != nil {
			if !errors.Is(err, io.EOF) {
				log.Print(err)
			}
			return
		}
		if cap(request) < length {
			request = make([]byte, length)
		}
		request = request[:length]
		if _, err := io.ReadFull(r, request); err != nil {
			log.Print(err)
			return
		}
		body, err := answer(path, request)
		if err != nil {
			log.Print(err)
			return
		}
		reply = fmt.Appendf(reply[:0], "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n", len(body))
		if _, err := c.Write(append(reply, body...)); err != nil {
			log.Print(err)
			return
		}
	}
}

// head reads up to the empty line.
func head(r *bufio.Reader) (path string, length int, err error) {
	for {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return "", 0, err
		}
		line = bytes.TrimRight(line, "\r\n")
		if len(line) == 0 {
			return path, length, nil
		}
		if path == "" {
			_, target, _ := bytes.Cut(line, []byte(" "))
			target, _, _ = bytes.Cut(target, []byte(" "))
			path = string(target)
			continue
		}
		if name, value, _ := bytes.Cut(line, []byte(": ")); bytes.EqualFold(name, []byte("Content-Length")) {
			if length, err = strconv.Atoi(string(value)); err != nil {
				return "", 0, err
			}
		}
	}
}

func answer(path string, request []byte) ([]byte, error) {
	switch path {
	case "/sum":
		return apply(request, model.Sum)
	case "/orders":
		return apply(request, model.Price)
	}
	return nil, fmt.Errorf("unknown path %q", path)
}

func apply[Req, Resp any](request []byte, f func(Req) Resp) ([]byte, error) {
	var v Req
	if err := json.Unmarshal(request, &v); err != nil {
		return nil, err
	}
	return json.Marshal(f(v))
}
