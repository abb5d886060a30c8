// Package natskv finds and announces instances in a bucket of NATS JetStream, its store of keys and values.
//
// The bucket is made once, by whoever looks after NATS, or by the first Registrar:
//
//	config := natskv.Bucket("instances")
//	config.Replicas = 3
//	_, err := js.CreateOrUpdateKeyValue(ctx, config)
//
//	registrar, err := natskv.NewRegistrar(js, "instances", "orders")
//	deregister, err := registrar.Register(ctx, sd.Instance{Address: "10.0.0.7:8080"})
//
//	instancer, err := natskv.NewInstancer(js, "instances", "orders")
//	for set, err := range instancer.Watch(ctx) { ... }
//
// An instance is one entry, in JSON, with a time to live of its own. The Registrar writes it again before that is over, so that it is gone
// soon after its process has died. A write takes effect only where it follows what its Registrar knows of, so that neither an old
// registration nor its end touches a newer one.
//
// It takes nats-server 2.11 or later. The jetstream.JetStream is the user's, with its connection, its credentials and its end.
package natskv

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/ashlar-go/ashlar/sd/internal/driver"
)

const (
	// DefaultTTL is how long an entry lives that is not written again.
	DefaultTTL = 15 * time.Second
	// DefaultGrace is how long instances stay that have expired while the watch could not reach NATS.
	DefaultGrace = 10 * time.Second
	// MarkerTTL is how long it is known, in a bucket as Bucket has it, that an entry was there.
	MarkerTTL = 5 * time.Minute
)

// Bucket returns what a bucket of that name must be. Everything else may be set, such as Replicas, which is 1, and Storage, which is in
// files. The bucket may hold other entries.
func Bucket(name string) jetstream.KeyValueConfig {
	return jetstream.KeyValueConfig{Bucket: name, Description: "instances of services", History: 1, LimitMarkerTTL: MarkerTTL}
}

// apiLimit is how long a request to JetStream may take.
const apiLimit = 3 * time.Second

// Names that NATS has for what a bucket is made of: ADR-8 of NATS.
const (
	streamPrefix    = "KV_"
	subjectPrefix   = "$KV."
	headerOperation = "KV-Operation"
	operationPurge  = "PURGE"
)

// headerRegistration tells which registration has written an entry.
const headerRegistration = "Ashlar-Registration"

// place is where the entries of one service are.
type place struct {
	js      jetstream.JetStream
	bucket  string
	service string
}

var bucketName = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

func newPlace(js jetstream.JetStream, bucket, service string) (place, error) {
	switch {
	case js == nil:
		return place{}, errors.New("the JetStream is nil")
	case !bucketName.MatchString(bucket):
		return place{}, fmt.Errorf("the name of the bucket is %q, want letters, digits, - and _", bucket)
	}
	if err := driver.CheckService(service); err != nil {
		return place{}, err
	}
	return place{js: js, bucket: bucket, service: service}, nil
}

// prefix is what the subjects of the entries begin with.
func (p place) prefix() string { return subjectPrefix + p.bucket + "." + token(p.service) + "." }

// upper is what the subjects that are written to begin with besides, where JetStream is one of another domain or account.
func (p place) upper() string {
	o := p.js.Options()
	switch {
	case o.Domain != "":
		return "$JS." + o.Domain + ".API."
	case o.APIPrefix != "" && strings.TrimSuffix(o.APIPrefix, ".")+"." != jetstream.DefaultAPIPrefix:
		return strings.TrimSuffix(o.APIPrefix, ".") + "."
	}
	return ""
}

// token returns a text as one token of a key, whatever is in it: letters, digits, - and _ stand for themselves, and = with two digits
// for other bytes.
func token(text string) string {
	const digits = "0123456789ABCDEF"
	var b strings.Builder
	for _, c := range []byte(text) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_':
			b.WriteByte(c)
		default:
			b.Write([]byte{'=', digits[c>>4], digits[c&15]})
		}
	}
	return b.String()
}
