// Package natsdiscovery finds and announces instances with nothing but a NATS server: by the protocol of NATS micro services.
//
// There is no registry that anything is stored in. An Instancer asks, at an interval, which instances of a service there are, and
// each instance answers for itself. A Registrar answers for an instance of any transport:
//
//	registrar, err := natsdiscovery.NewRegistrar(nc, "orders")
//	deregister, err := registrar.Register(ctx, sd.Instance{Address: "10.0.0.7:8080"})
//
//	instancer, err := natsdiscovery.NewInstancer(nc, "orders")
//	for set, err := range instancer.Watch(ctx) { ... }
//
// So does each NATS micro service, of natstransport.Serve or of anything else that speaks the protocol, in any language. The *nats.Conn is
// the user's: its addresses, its credentials, how it reconnects, and its end.
//
// # Instances
//
// What an instance is, the metadata of the micro service say, under the keys that begin with KeyPrefix. A micro service that does not
// give its address has that by which its endpoints can be called: what stands in their subjects before the name of the operation, as by
// natstransport.ServerPrefix. One whose endpoints share their subjects with all others cannot be called by itself, and is reported as an
// *sd.InvalidError: NATS chooses among such instances, and no pool is needed.
package natsdiscovery

import (
	"time"

	"github.com/nats-io/nats.go/micro"
)

// Keys of the metadata of a micro service. All other keys are Instance.Metadata.
const (
	// KeyPrefix is what the keys begin with. Instance.Metadata that a Registrar announces have none of them.
	KeyPrefix = "ashlar."
	// KeyAddress has Instance.Address.
	KeyAddress = KeyPrefix + "address"
	// KeyID has Instance.ID, which is else the id of the micro service.
	KeyID = KeyPrefix + "id"
	// KeyWeight has Instance.Weight, in decimal.
	KeyWeight = KeyPrefix + "weight"
	// KeyZone has Instance.Zone.
	KeyZone = KeyPrefix + "zone"
	// KeyVersion has Instance.Version, which is else the version of the micro service.
	KeyVersion = KeyPrefix + "version"
	// KeyTags has Instance.Tags, as an array in JSON.
	KeyTags = KeyPrefix + "tags"
	// KeySince has the time since when the instance is announced, as RFC 3339 has it. Of two with one ID the newest counts.
	KeySince = KeyPrefix + "since"
)

const (
	// DefaultInterval is the time from one round of asking to the next.
	DefaultInterval = 2 * time.Second
	// DefaultWindow is how long answers are waited for before what is missing is noted.
	DefaultWindow = 500 * time.Millisecond
	// DefaultMisses is in how many rounds, one after the other, an instance is missing that is taken for gone.
	DefaultMisses = 3
	// MaxAnswer is the largest answer, in bytes, that is taken for that of an instance.
	MaxAnswer = 64 << 10
)

// Subject returns the subject on which Registrars say, unasked, that an instance comes or goes, so that nobody waits for the next round.
func Subject(service string) string { return "ashlar.sd." + service }

// goneType is the type of what an instance says that goes. One that comes says what it answers when it is asked, of
// micro.InfoResponseType.
const goneType = "ashlar.sd.v1.gone"

// isName says whether NATS takes a text for the name of a micro service.
func isName(text string) bool {
	for _, c := range []byte(text) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_':
		default:
			return false
		}
	}
	return text != ""
}

// infoSubject returns the subject on which all instances of a service are asked.
func infoSubject(service string) string {
	return micro.APIPrefix + "." + micro.InfoVerb.String() + "." + service
}
