package zookeeper_test

import (
	"encoding/binary"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/go-zookeeper/zk"

	"github.com/ashlar-go/ashlar/internal/testserver"
)

func TestAnInstanceIsRegisteredAgainInTheNextSession(t *testing.T) {
	t.Parallel()
	server := testserver.StartZooKeeper(t)
	credentials := new(credentials)
	conn, _, err := zk.Connect([]string{server.Address}, 4*time.Second, zk.WithLogger(silent{}), zk.WithDialer(credentials.dial))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	turns := watch(t, connect(t, server.Address, 10*time.Second), "orders")
	own := watch(t, conn, "orders") // goes on in the next session, too
	_, errs := register(t, conn, "orders", "a")
	turns.AwaitIDs("a")
	for range 3 {
		before := conn.SessionID()
		credentials.end(t, server.Address)
		turns.AwaitIDs()
		turns.AwaitIDs("a")
		if err := <-errs; err == nil {
			t.Error("want an error that says what happened")
		}
		if _, stat := get(t, conn, node("orders", "a")); stat.EphemeralOwner == before {
			t.Errorf("want another session than %x", before)
		}
	}
	register(t, conn, "orders", "b")
	own.AwaitIDs("a", "b")
}

// credentials are those of the session of a connection.
type credentials struct {
	mu       sync.Mutex
	session  int64
	password []byte
}

// dial connects, and takes them from what the server answers first.
func (c *credentials) dial(network, address string, timeout time.Duration) (net.Conn, error) {
	conn, err := net.DialTimeout(network, address, timeout)
	if err != nil {
		return nil, err
	}
	return &listening{Conn: conn, c: c}, nil
}

type listening struct {
	net.Conn

	c    *credentials
	head []byte
}

// of the first answer: its length, the version of the protocol, the time of the session, the session, and the length of the password.
const sessionAt, passwordAt, passwordLength = 12, 24, 16

func (l *listening) Read(p []byte) (int, error) {
	n, err := l.Conn.Read(p)
	if missing := passwordAt + passwordLength - len(l.head); missing > 0 && n > 0 {
		l.head = append(l.head, p[:min(n, missing)]...)
		if len(l.head) == passwordAt+passwordLength {
			l.c.mu.Lock()
			l.c.session = int64(binary.BigEndian.Uint64(l.head[sessionAt:]))
			l.c.password = l.head[passwordAt:]
			l.c.mu.Unlock()
		}
	}
	return n, err
}

// end ends the session, by another connection in its name.
func (c *credentials) end(t *testing.T, address string) {
	t.Helper()
	conn, err := (&net.Dialer{Timeout: limit}).DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(limit)); err != nil {
		t.Fatal(err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	connect := binary.BigEndian.AppendUint32(nil, 0)                          // the version of the protocol
	connect = binary.BigEndian.AppendUint64(connect, 0)                       // the last transaction that was seen
	connect = binary.BigEndian.AppendUint32(connect, 4000)                    // the time of the session
	connect = binary.BigEndian.AppendUint64(connect, uint64(c.session))       //
	connect = binary.BigEndian.AppendUint32(connect, uint32(len(c.password))) //
	connect = append(connect, c.password...)
	send(t, conn, connect)
	receive(t, conn)
	const closeSession = -11
	code := int32(closeSession)
	send(t, conn, binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, 1), uint32(code)))
	receive(t, conn)
}

func send(t *testing.T, conn net.Conn, packet []byte) {
	t.Helper()
	if _, err := conn.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(packet))), packet...)); err != nil {
		t.Fatal(err)
	}
}

func receive(t *testing.T, conn net.Conn) {
	t.Helper()
	var length uint32
	if err := binary.Read(conn, binary.BigEndian, &length); err != nil {
		t.Fatal(err)
	}
	if _, err := io.CopyN(io.Discard, conn, int64(length)); err != nil {
		t.Fatal(err)
	}
}

func TestASessionThatExpiresDuringAnOutageIsFollowedByAnother(t *testing.T) {
	t.Parallel()
	server := testserver.StartZooKeeper(t)
	proxy := testserver.StartProxy(t, server.Address)
	turns := watch(t, connect(t, server.Address, 10*time.Second), "orders")
	conn := connect(t, proxy.Address, time.Second)
	own := watch(t, conn, "orders")
	_, errs := register(t, conn, "orders", "a")
	turns.AwaitIDs("a")
	for range 2 {
		own.AwaitIDs("a")
		proxy.Cut()
		turns.AwaitIDs()
		own.AwaitError("")
		if err := <-errs; err == nil {
			t.Error("want an error that says what happened")
		}
		proxy.Restore()
		turns.AwaitIDs("a")
	}
	own.AwaitIDs("a")
}

func TestARegistrationOutlivesTheSessionOfTheOneBeforeIt(t *testing.T) {
	t.Parallel()
	server := testserver.StartZooKeeper(t)
	proxy := testserver.StartProxy(t, server.Address)
	conn := connect(t, server.Address, 10*time.Second)
	crashed := connect(t, proxy.Address, time.Second)
	other := watch(t, conn, "other")
	register(t, crashed, "orders", "a")
	register(t, crashed, "other", "b")
	other.AwaitIDs("b")
	proxy.Cut()
	turns := watch(t, conn, "orders")
	turns.AwaitIDs("a") // as long as the session is not over
	register(t, conn, "orders", "a")
	_, stat := get(t, conn, node("orders", "a"))
	other.AwaitIDs() // the session of the one that was cut off is over
	if _, after := get(t, conn, node("orders", "a")); after.Czxid != stat.Czxid || stat.EphemeralOwner != conn.SessionID() {
		t.Errorf("want the node of this session, %x, have %+v", conn.SessionID(), after)
	}
	proxy.Restore()
	other.AwaitIDs("b")
	if _, after := get(t, conn, node("orders", "a")); after.Czxid != stat.Czxid {
		t.Errorf("want the older registration to leave the newer alone, have %+v", after)
	}
}
