package circuitbreaker

import (
	"cmp"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"weak"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/internal/option"
)

// Breakers makes and owns breakers, one for each endpoint that its middleware decorates. Two Breakers share nothing. It is safe for
// concurrent use, and has no goroutine. New makes it: what is not made so has no policy, and panics when it is to decorate an endpoint.
type Breakers struct {
	policy  Policy
	doers   DoerPolicy // policy, if it is one
	config  config
	changes changes

	mu    sync.Mutex
	sites map[*siteRef]struct{}
	named map[name]*siteRef // those of Instance
}

// siteRef is where a site is found as long as its endpoint is in use.
type siteRef struct{ weak.Pointer[site] }

// name is what tells a site of an instance from others.
type name struct {
	id    ID
	unary bool
}

// New returns Breakers that the policy makes, such as Adaptive. It fails when the policy is nil or fails, and when an option is wrong, or
// can have no effect.
func New(policy Policy, opts ...Option) (*Breakers, error) {
	if policy == nil {
		return nil, errors.New("circuitbreaker: the policy is nil")
	}
	b := &Breakers{
		policy: policy, config: config{failure: IsFailure, opened: DefaultOpened},
		sites: make(map[*siteRef]struct{}), named: make(map[name]*siteRef),
	}
	b.doers, _ = policy.(DoerPolicy)
	if err := option.Set(&b.config, opts); err != nil {
		return nil, prefixed(err)
	}
	if err := b.config.complete(); err != nil {
		return nil, prefixed(err)
	}
	b.changes.told = b.config.changes
	if _, err := b.newGuard(ID{}, false); err != nil { // the policy fails each time or never
		return nil, prefixed(err)
	}
	return b, nil
}

// prefix begins the errors of the package.
const prefix = "circuitbreaker: "

// prefixed returns err with the prefix, unless it has that from NewAdaptive, which policies may call.
func prefixed(err error) error {
	if strings.HasPrefix(err.Error(), prefix) {
		return err
	}
	return fmt.Errorf(prefix+"%w", err)
}

// needNew panics for what New has not made.
func (b *Breakers) needNew() {
	if b == nil || b.policy == nil {
		panic(prefix + "the Breakers have no policy; New makes those that have")
	}
}

// Middleware is an endpoint.Middleware. It makes a breaker, or one for each Key, for each endpoint that it decorates: also where two have
// the same name. Without a Key it makes one for each transport.Priority, since a server that is full refuses the calls of a lower one, and
// those of a higher one are not to pay for that.
//
// A call that the breaker refuses is not made. It fails with Unavailable, the reason ReasonOpen, RetryAfter where that is known, and
// ErrOpen in the cause. On a client transport.ErrWithheld is in the cause, too; on a server the response header has
// transport.NotBegunHeader.
//
// Which errors are failures is for Failure to say. What the caller has canceled does not count, a panic is a failure and goes on, and so
// does runtime.Goexit. A call whose context has ended already is not made, and does not count.
//
// A stream is let through or refused when it is opened. It counts as a success when the first message of the server has come, or when
// it has lasted as long as Opened says, so that a long one keeps no other from being tried; as what it ended with where it ended before;
// and when it fails after that, as another call, which failed.
//
// Put it inside of the request log and of lb's retries, and outside of what sends. It panics when the policy fails, which it
// has not done in New.
func (b *Breakers) Middleware(spec endpoint.Spec, next endpoint.Handler) endpoint.Handler {
	b.needNew()
	return b.decorate(b.site(spec, ID{Operation: spec.Operation(), Side: spec.Side}), spec, next)
}

// Instance is as Middleware, for the endpoints of one instance of a service that several have: put it around the endpoint that the bind of
// lb.Endpoint makes. An endpoint that is made anew for the same instance, as after a new dial, has the breaker that the one before has as
// long as that is in use. It is forgotten when no endpoint has it any more. Instance panics when the instance is "", since all that have no
// name would share a breaker.
func (b *Breakers) Instance(instance string) endpoint.Middleware {
	b.needNew()
	if instance == "" {
		panic(prefix + `Instance(""): want what tells the instance from others, such as its address`)
	}
	return func(spec endpoint.Spec, next endpoint.Handler) endpoint.Handler {
		id := ID{Operation: spec.Operation(), Side: spec.Side, Instance: instance}
		return b.decorate(b.instance(spec, id), spec, next)
	}
}

// site returns a new one.
func (b *Breakers) site(spec endpoint.Spec, id ID) *site {
	b.mu.Lock()
	defer b.mu.Unlock()
	s, _ := b.add(spec, id)
	return s
}

// instance returns the site of that name, or a new one.
func (b *Breakers) instance(spec endpoint.Spec, id ID) *site {
	n := name{id: id, unary: spec.Kind == endpoint.Unary}
	b.mu.Lock()
	defer b.mu.Unlock()
	if ref := b.named[n]; ref != nil {
		if s := ref.Value(); s != nil {
			return s
		}
	}
	s, ref := b.add(spec, id)
	b.named[n] = ref
	return s
}

// add makes a site, which is forgotten when nobody uses it any more: the endpoints of instances come and go. The mutex is held.
func (b *Breakers) add(spec endpoint.Spec, id ID) (*site, *siteRef) {
	s := newSite(b, id, spec.Kind == endpoint.Unary)
	ref := &siteRef{weak.Make(s)}
	b.sites[ref] = struct{}{}
	runtime.AddCleanup(s, b.forget, forgotten{ref: ref, name: name{id: id, unary: spec.Kind == endpoint.Unary}})
	return s, ref
}

// forgotten is what a site that is no longer used leaves behind.
type forgotten struct {
	ref  *siteRef
	name name
}

func (b *Breakers) forget(f forgotten) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.sites, f.ref)
	if b.named[f.name] == f.ref {
		delete(b.named, f.name)
	}
}

// Status is how a breaker is at one moment.
type Status struct {
	ID      ID
	Report         // zero where the breaker is no Reporter
	Refused uint64 // calls, since the breaker was made
}

// Status returns how the breakers are that are in use, sorted by their IDs. It is for pages and metrics, and takes time in proportion to
// their number. What New has not made has none.
func (b *Breakers) Status() []Status {
	if b == nil {
		return nil
	}
	var all []Status
	for _, s := range b.inUse() {
		for g := range s.guards() {
			all = append(all, g.status())
		}
	}
	slices.SortFunc(all, func(x, y Status) int {
		return cmp.Or(cmp.Compare(x.ID.Operation, y.ID.Operation), cmp.Compare(x.ID.Side, y.ID.Side),
			cmp.Compare(x.ID.Instance, y.ID.Instance), cmp.Compare(x.ID.Key, y.ID.Key), cmp.Compare(x.ID.Priority, y.ID.Priority))
	})
	b.changes.give() // asking a breaker may change it
	return all
}

func (b *Breakers) inUse() (sites []*site) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for ref := range b.sites {
		if s := ref.Value(); s != nil {
			sites = append(sites, s)
		}
	}
	return sites
}
