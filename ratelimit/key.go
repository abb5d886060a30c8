package ratelimit

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"reflect"
	"strings"

	"github.com/ashlar-go/ashlar/transport"
)

// Key says whose limit a call is counted against: KeyPeer, KeyHeader, KeyFunc and KeyOf make them.
type Key func(ctx context.Context, request any) (string, error)

// KeyPeer is the network address of the caller, without the port. It is empty where the transport has none, as over NATS, and it is that of
// a proxy where there is one in between.
//
// One who has an IPv6 network has 2^64 addresses or more; see KeyPeerNetwork.
func KeyPeer() Key {
	return func(ctx context.Context, _ any) (string, error) { return peer(ctx), nil }
}

// KeyPeerNetwork is the network that the address of the caller is in, such as "2001:db8:1:2::/64", by the first so many bits of IPv4 and of
// IPv6 addresses. KeyPeerNetwork(32, 64) is the usual, since a customer has one IPv4 address, and an IPv6 network of 64 bits at least. What
// is no IP address stays as it is. It panics for bits that are not from 1 to 32 and from 1 to 128. With IPv6 a call costs an allocation.
func KeyPeerNetwork(bits4, bits6 int) Key {
	if bits4 < 1 || bits4 > 32 || bits6 < 1 || bits6 > 128 {
		panic(fmt.Sprintf("ratelimit: KeyPeerNetwork(%d, %d): want 1 to 32, and 1 to 128", bits4, bits6))
	}
	return func(ctx context.Context, _ any) (string, error) { return network(peer(ctx), bits4, bits6), nil }
}

func network(host string, bits4, bits6 int) string {
	parsed, err := netip.ParseAddr(host)
	if err != nil {
		return host
	}
	address, bits := parsed.Unmap(), bits6
	if address.Is4() {
		bits = bits4
	}
	if bits == address.BitLen() && address.Zone() == "" {
		if parsed.Is4() {
			return host
		}
		return address.String()
	}
	prefix, err := address.WithZone("").Prefix(bits)
	if err != nil {
		return host
	}
	return prefix.String()
}

func peer(ctx context.Context) string {
	info := transport.FromContext(ctx)
	if info == nil {
		return ""
	}
	host, _, err := net.SplitHostPort(info.Peer)
	if err != nil {
		return info.Peer
	}
	return host
}

// KeyHeader is the first value of that header field of the call being served, such as "X-Api-Key". It is empty where there is none. What a
// caller can write at will is no key against callers that mean ill: they take a new one for each call. It panics for what is no name of a
// field.
func KeyHeader(name string) Key {
	if name == "" || strings.ContainsFunc(name, notInName) {
		panic(fmt.Sprintf("ratelimit: KeyHeader(%q): want the name of a header field", name))
	}
	return func(ctx context.Context, _ any) (string, error) {
		if info := transport.FromContext(ctx); info != nil {
			return info.Request.Get(name), nil
		}
		return "", nil
	}
}

// notInName reports whether a name of a header field, which is a token of RFC 9110, section 5.6.2, cannot have r.
func notInName(r rune) bool {
	return r <= ' ' || r > '~' || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, r)
}

// KeyFunc is what of returns for the context of the call, such as the name of who has been authenticated. It must not block.
func KeyFunc(of func(ctx context.Context) string) Key {
	if of == nil {
		panic("ratelimit: KeyFunc: the function is nil")
	}
	return func(ctx context.Context, _ any) (string, error) { return of(ctx), nil }
}

// KeyOf is what of returns for the request, such as a tenant that stands in it. On a stream the request is that message of the client for
// which a Gate with Messages asks; it has none when a stream opens. A call whose request is not a Req, as around decoding, where it is the
// transport's own, fails with Internal.
func KeyOf[Req any](of func(request Req) string) Key {
	if of == nil {
		panic("ratelimit: KeyOf: the function is nil")
	}
	return func(_ context.Context, request any) (string, error) {
		req, ok := request.(Req)
		if !ok {
			return "", typeError[Req]("KeyOf", request)
		}
		return of(req), nil
	}
}

func typeError[Want any](of string, request any) error {
	return fmt.Errorf("ratelimit: the request is a %T, and the function of %s wants a %v", request, of, reflect.TypeFor[Want]())
}

// EmptyKey is what is done with a call whose Key is empty: nobody knows whose it is.
type EmptyKey uint8

// What can be done with calls whose key is empty.
const (
	EmptyShared    EmptyKey = iota // They have one limit together, as if "" were somebody. The default.
	EmptyRefused                   // They are refused with InvalidArgument and ReasonNoKey.
	EmptyUnlimited                 // They pass, and are counted in Status.
)
