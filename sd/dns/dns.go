// Package dns finds the instances of a service by its records in the DNS, and asks again as often as their times to live say.
//
// NewSRV takes SRV records, which hold ports and weights:
//
//	instancer, err := dns.NewSRV("_grpc._tcp.orders.example.com")
//
// NewHost takes the A and AAAA records of a name, and a port that all instances have:
//
//	instancer, err := dns.NewHost("orders.example.com", 8080)
//
// The DNS has no way to announce an instance from here, so that there is no Registrar.
//
// # What is in force
//
// A name that does not exist, or has no such records, is an empty set: that is what the DNS says. Where it says nothing, since servers
// fail, refuse or keep silent, the watch yields an error, and the last set stays. A set is found as a whole: when one of the queries that
// it takes fails, so has the attempt.
package dns

import "time"

const (
	// DefaultMinTTL is the time after which is asked again at the earliest.
	DefaultMinTTL = time.Second
	// DefaultMaxTTL is the time after which is asked again at the latest.
	DefaultMaxTTL = time.Minute
	// DefaultTimeout is how long a server may take for an answer, where resolv.conf does not say.
	DefaultTimeout = 2 * time.Second
	// DefaultAttempts is how often each server is asked before a query fails, where resolv.conf does not say.
	DefaultAttempts = 2
	// DefaultResolvConf is where the servers and the search list are read.
	DefaultResolvConf = "/etc/resolv.conf"
	// MaxTargets is how many targets of SRV records are looked at. A name that has more is an error.
	MaxTargets = 1000
)

// MetadataTarget is the key of Instance.Metadata for the name whose address the instance has: of the target of an SRV record, or the one
// that NewHost was given. It has no dot at its end. It is what certificates are made out to.
const MetadataTarget = "dns.target"
