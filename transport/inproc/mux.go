package inproc

import (
	"fmt"
	"sync"
)

// Mux is where clients find servers. The zero value is ready for use, and it is safe for concurrent use. It must not be
// copied.
type Mux struct {
	mu      sync.RWMutex
	servers map[string]*Server
}

// Handle adds the servers, each under its operation. Clients that were made before find them too. It panics for a nil
// server and for an operation that has one already: mistakes in the program that no input can cause.
func (m *Mux) Handle(servers ...*Server) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, s := range servers {
		if s == nil {
			panic("inproc: Handle of a nil Server")
		}
		if m.servers[s.operation] != nil {
			panic(fmt.Sprintf("inproc: Handle of %s, which has a server already", s.operation))
		}
		if m.servers == nil {
			m.servers = make(map[string]*Server)
		}
		m.servers[s.operation] = s
	}
}

// find returns the server of the operation, nil without any. Once found it stays, so that a client may keep it.
func (m *Mux) find(operation string) *Server {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.servers[operation]
}
