// Package mdns finds and announces instances on the local network, without a server: by multicast DNS (RFC 6762) and DNS-based
// service discovery (RFC 6763).
//
// Processes that run on one machine find each other, and so do those of several machines on one link. There is nothing to set up, and
// there is no security: whoever can send on the link can announce instances. It is for development, and for networks whose members are
// trusted.
//
// docs/sd-mdns.md says how an instance is announced, and what is not done.
package mdns
