package grpctransport

import (
	"context"
	"fmt"
	"strings"

	"google.golang.org/grpc/metadata"
)

// requestHeader is the header of the call being served. Nothing is copied of it until somebody asks.
type requestHeader struct{ ctx context.Context }

func (h *requestHeader) Get(key string) string {
	if values := h.Values(key); len(values) > 0 {
		return values[0]
	}
	return ""
}

func (h *requestHeader) Values(key string) []string {
	return metadata.ValueFromIncomingContext(h.ctx, strings.ToLower(key))
}

// Set does nothing: a server does not change what it was sent.
func (h *requestHeader) Set(string, ...string) {}

func (h *requestHeader) All() fieldSeq {
	md, _ := metadata.FromIncomingContext(h.ctx)
	return received(md).All()
}

// responseHeader is the header, or the trailer, of the response. It costs nothing until something is set.
type responseHeader struct {
	received

	sent bool // what is set from now on has no effect
}

func (h *responseHeader) Set(key string, values ...string) {
	if h.sent {
		return
	}
	if h.received == nil {
		h.received = make(received)
	}
	h.received.Set(key, values...)
}

// take returns what is to be sent, or what about it cannot be.
func (h *responseHeader) take() (metadata.MD, error) {
	h.sent = true
	for key, values := range h.received {
		if err := checkField(key, values); err != nil {
			return nil, fmt.Errorf("the response cannot be sent: %w", err)
		}
	}
	return metadata.MD(h.received), nil
}
