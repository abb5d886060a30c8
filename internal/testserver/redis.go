package testserver

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"testing"
)

// Redis is a Redis server. It keeps its port when it is stopped or killed and started again, and forgets what it knew, unless it was told
// to save that.
type Redis struct {
	*Process

	// Address is where clients connect to: host:port.
	Address string
}

// StartRedis starts a Redis server. The args come after those that are needed, as "--maxclients", "100".
func StartRedis(t testing.TB, args ...string) *Redis {
	t.Helper()
	program := redisServer(t)
	return startServers(t, "redis", func() []*Redis {
		dir, address := t.TempDir(), loopback(freePorts(t, 1)[0])
		return []*Redis{newRedis(t, "redis", dir, address, append([]string{program}, redisArgs(dir, address, args)...))}
	})[0]
}

// StartRedisReplica starts a replica of a Redis server, and waits until it has what that has.
func StartRedisReplica(t testing.TB, primary *Redis) *Redis {
	t.Helper()
	host, port, _ := strings.Cut(primary.Address, ":")
	replica := StartRedis(t, "--replicaof", host, port)
	replica.ready = replica.linked
	if err := replica.await(); err != nil {
		t.Fatalf("testserver: redis: %v\n%s", err, replica.tail())
	}
	replica.ready = replica.serves // it may become a primary
	return replica
}

// Command sends a command, whose words are without spaces and quotes, and returns the answer as text, which is an error where that
// is one.
func (r *Redis) Command(ctx context.Context, words ...string) (string, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", r.Address)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	if deadline, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(deadline); err != nil {
			return "", err
		}
	}
	if _, err := fmt.Fprintf(conn, "%s\r\n", strings.Join(words, " ")); err != nil {
		return "", err
	}
	return redisReply(bufio.NewReader(conn))
}

// redisReply reads an answer that is a text, a number, or an error.
func redisReply(r *bufio.Reader) (string, error) {
	line, err := r.ReadString('\n')
	line = strings.TrimSuffix(line, "\r\n")
	switch {
	case err != nil:
		return "", err
	case strings.HasPrefix(line, "+"), strings.HasPrefix(line, ":"):
		return line[1:], nil
	case strings.HasPrefix(line, "-"):
		return "", errors.New(line[1:])
	case strings.HasPrefix(line, "$"):
		size, err := strconv.Atoi(line[1:])
		if err != nil || size < 0 {
			return "", err
		}
		text := make([]byte, size)
		_, err = io.ReadFull(r, text)
		return string(text), err
	}
	return "", fmt.Errorf("want a text, a number or an error, have %q", line)
}

func redisServer(t testing.TB) string {
	t.Helper()
	return Installed(t, "redis-server", "redis-server")
}

func loopback(port int) string { return "127.0.0.1:" + strconv.Itoa(port) }

// redisArgs are those of a server that saves nothing.
func redisArgs(dir, address string, more []string) []string {
	host, port, _ := strings.Cut(address, ":")
	return append([]string{
		"--bind", host, "--port", port, "--dir", dir, "--save", "", "--appendonly", "no", "--daemonize", "no",
		"--repl-diskless-sync-delay", "0", // a replica waits for no other
	}, more...)
}

func newRedis(t testing.TB, name, dir, address string, args []string) *Redis {
	t.Helper()
	r := &Redis{Address: address}
	r.Process = newProcess(t, name, dir, args, r.serves)
	return r
}

// serves asks for a sign of life, which one that still reads its data refuses.
func (r *Redis) serves(ctx context.Context) error {
	_, err := r.Command(ctx, "PING")
	return err
}

// linked succeeds when a replica has all that its primary has.
func (r *Redis) linked(ctx context.Context) error {
	return r.says(ctx, "INFO replication", "master_link_status:up")
}

// says succeeds when the answer to a command contains the text.
func (r *Redis) says(ctx context.Context, command, text string) error {
	answer, err := r.Command(ctx, command)
	if err == nil && !strings.Contains(answer, text) {
		err = fmt.Errorf("want %s, have %s", text, answer)
	}
	return err
}

// StartRedisTLS starts a Redis server that serves TLS at the address that it returns besides, with what the args say of certificates, as
// "--tls-cert-file" and its path.
func StartRedisTLS(t testing.TB, args ...string) (r *Redis, address string) {
	t.Helper()
	program := redisServer(t)
	r = startServers(t, "redis", func() []*Redis {
		ports := freePorts(t, 2)
		dir, plain := t.TempDir(), loopback(ports[0])
		address = loopback(ports[1])
		all := append([]string{"--tls-port", strconv.Itoa(ports[1])}, args...)
		return []*Redis{newRedis(t, "redis", dir, plain, append([]string{program}, redisArgs(dir, plain, all)...))}
	})[0]
	return r, address
}
