package httptransport

import (
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// conns knows the connections of a server.
type conns struct {
	known  atomic.Bool   // changed is called
	open   atomic.Int64  // connections that are the server's
	none   chan struct{} // holds one token when there are none
	unused sync.Map      // when they came, by net.Conn: those on which nothing has come
}

// changed is the http.Server.ConnState.
func (c *conns) changed(conn net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		c.known.Store(true)
		c.open.Add(1)
		c.unused.Store(conn, time.Now())
	case http.StateActive:
		c.unused.Delete(conn)
	case http.StateHijacked, http.StateClosed:
		c.unused.Delete(conn)
		if c.open.Add(-1) == 0 {
			select {
			case c.none <- struct{}{}:
			default:
			}
		}
	case http.StateIdle:
	}
}

// closeUnused closes the connections that were there for so long and on which nothing has come. Clients open them ahead, and
// http.Server.Shutdown waits five seconds for them.
func (c *conns) closeUnused(since time.Duration) {
	for conn, came := range c.unused.Range {
		conn, isConn := conn.(net.Conn)
		came, isTime := came.(time.Time)
		if isConn && isTime && time.Since(came) >= since {
			_ = conn.Close()
		}
	}
}
