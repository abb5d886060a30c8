// Package authtest attacks an auth.Authenticator over a transport. Each attack is a call with credentials that must be refused, and is made
// for each shape of operation:
//
//	attacks, err := authtest.Tokens{Key: key, KeyID: "2026-11", Issuer: "https://login.example", Audience: "orders"}.Attacks()
//	authtest.Run(t, harness, authtest.Subject{Authenticator: verifier, Source: signer, Attacks: attacks})
//
// A call is refused when its error is the one that is wanted, when no message of it was decoded and a stream was not waited for, when
// nothing of the answer says why, and when the server was told the reason, without the credentials in it. All calls with bad credentials
// get the same answer. Whether goroutines are left is for the caller to see, as go.uber.org/goleak does.
package authtest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/ashlar-go/ashlar/auth"
	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
	"github.com/ashlar-go/ashlar/transport/transporttest"
)

// Subject is what is attacked.
type Subject struct {
	// Authenticator is given to auth.Middleware of the server.
	Authenticator auth.Authenticator
	// Source gives out credentials that the Authenticator takes. Calls with them must be served, before the attacks and after them.
	Source auth.Source
	// Attacks are made besides those of Common, which are made of the credentials of the Source.
	Attacks []Attack
}

// Attack is a call that must be refused.
type Attack struct {
	// Name says what is wrong with it.
	Name string
	// Header holds its header fields.
	Header transport.HeaderMap
	// Code and Reason are those of the error. Without them they are Unauthenticated and auth.ReasonInvalid.
	Code   status.Code
	Reason string
	// Early says that anything on the way may refuse the call, too, with an error of its own: fields that are too long, or which no
	// header can carry.
	Early bool
}

// Violation says which attack came through, for which shape of operation, and how.
type Violation struct {
	Attack string
	Kind   endpoint.Kind
	Err    error
}

// Error returns all of it.
func (v *Violation) Error() string { return fmt.Sprintf("%s, %v: %v", v.Attack, v.Kind, v.Err) }

// Unwrap returns what was seen.
func (v *Violation) Unwrap() error { return v.Err }

// Run makes each attack for each shape that goes the harness's way, as subtests.
func Run(t *testing.T, h transporttest.Harness, s Subject) {
	t.Helper()
	attacks, err := s.complete(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range kinds(h) {
		t.Run(kind.String(), func(t *testing.T) {
			t.Parallel()
			for _, v := range attack(t.Context(), h, s, kind, attacks) {
				t.Error(v)
			}
		})
	}
}

// Test makes the same attacks, and returns nil, or an error that joins a *Violation for each that came through.
func Test(ctx context.Context, h transporttest.Harness, s Subject) error {
	attacks, err := s.complete(ctx)
	if err != nil {
		return err
	}
	var errs []error
	for _, kind := range kinds(h) {
		for _, v := range attack(ctx, h, s, kind, attacks) {
			errs = append(errs, v)
		}
	}
	return errors.Join(errs...)
}

func kinds(h transporttest.Harness) []endpoint.Kind {
	if len(h.Kinds) > 0 {
		return h.Kinds
	}
	return []endpoint.Kind{endpoint.Unary, endpoint.ClientStream, endpoint.ServerStream, endpoint.Bidirectional}
}

// complete returns all attacks.
func (s Subject) complete(ctx context.Context) ([]Attack, error) {
	if s.Authenticator == nil || s.Source == nil {
		return nil, errors.New("authtest: the Subject has no Authenticator or no Source")
	}
	sound, err := s.Source.Credential(ctx)
	if err != nil {
		return nil, fmt.Errorf("authtest: the Source: %w", err)
	}
	if _, secret, has := strings.Cut(sound.Value, " "); sound.Value == "" || has && secret == "" {
		return nil, errors.New("authtest: the Source gave an empty Credential")
	}
	attacks := append(Common(sound), s.Attacks...)
	for i := range attacks {
		a := &attacks[i]
		if a.Name == "" || slices.ContainsFunc(attacks[:i], func(b Attack) bool { return b.Name == a.Name }) {
			return nil, fmt.Errorf("authtest: attack %d has no name, or that of another: %q", i, a.Name)
		}
		a.Code = cmp.Or(a.Code, status.Unauthenticated)
		if a.Code == status.Unauthenticated {
			a.Reason = cmp.Or(a.Reason, auth.ReasonInvalid)
		}
	}
	return attacks, nil
}

// attack makes all attacks on one operation.
func attack(ctx context.Context, h transporttest.Harness, s Subject, kind endpoint.Kind, attacks []Attack) (violations []*Violation) {
	report := func(name string, err error) {
		if err != nil {
			violations = append(violations, &Violation{Attack: name, Kind: kind, Err: err})
		}
	}
	site, err := open(h, s.Authenticator, kind)
	if err != nil {
		report("opening a link", err)
		return violations
	}
	defer func() { report("closing the link", site.link.Close()) }()
	report("the sound credentials, at first", site.pass(ctx, s.Source))
	for _, a := range attacks {
		report(a.Name, site.refuse(ctx, a))
	}
	report("the sound credentials, after the attacks", site.pass(ctx, s.Source))
	return violations
}

// field returns the header of an attack by one field.
func field(key string, values ...string) transport.HeaderMap {
	h := transport.HeaderMap{}
	h.Set(key, values...)
	return h
}

// Common returns the attacks that can be made of credentials which are good: without them, with parts of them, with more than them, with
// them in another place, and with what no header field can hold.
func Common(sound auth.Credential) []Attack {
	key, value := cmp.Or(sound.Header, "Authorization"), sound.Value
	scheme, secret, hasScheme := strings.Cut(value, " ")
	prefix, tab := "", "\t"
	if hasScheme {
		prefix = scheme + " "
	} else {
		secret = value
		tab = value[:1] + "\t" // before the value transports drop it, as RFC 9110, section 5.5, has it
	}
	half := len(secret) / 2 //nolint:mnd // the middle
	const thousand = 1000
	other := byte('A')
	if secret[half] == other {
		other = 'B'
	}
	attacks := []Attack{
		{Name: "no credentials", Reason: auth.ReasonMissing},
		{Name: "in Cookie", Header: field("Cookie", value), Reason: auth.ReasonMissing},
		{Name: "in Proxy-Authorization", Header: field("Proxy-Authorization", value), Reason: auth.ReasonMissing},
		{Name: "in X-Forwarded-" + key, Header: field("X-Forwarded-"+key, value), Reason: auth.ReasonMissing},
		{Name: "twice the same", Header: field(key, value, value)},
		{Name: "a second that is bad", Header: field(key, value, prefix+"x")},
		{Name: "a first that is bad", Header: field(key, prefix+"x", value)},
		{Name: "two in one field", Header: field(key, value+","+value)},
		{Name: "two in one field, with a space", Header: field(key, value+", "+value)},
		{Name: "one byte less", Header: field(key, value[:len(value)-1])},
		{Name: "one byte more", Header: field(key, value+"A")},
		{Name: "another byte in the middle", Header: field(key, prefix+secret[:half]+string(other)+secret[half+1:])},
		{Name: "half of it", Header: field(key, prefix+secret[:half])},
		{Name: "in quotes", Header: field(key, prefix+`"`+secret+`"`)},
		{Name: "garbage", Header: field(key, prefix+"!$%&/()=?")},
		{Name: "nothing", Header: field(key, ""), Early: true},
		{Name: "16 KiB and more", Header: field(key, prefix+strings.Repeat("A", auth.MaxCredentials)), Early: true},
		{Name: "a megabyte", Header: field(key, prefix+strings.Repeat("A", 1<<20)), Early: true},
		{Name: "a thousand of them", Header: field(key, slices.Repeat([]string{prefix + "x"}, thousand)...), Early: true},
		{Name: "a NUL", Header: field(key, value+"\x00"), Early: true},
		{Name: "a line break", Header: field(key, prefix+"x\r\n"+key+": "+value), Early: true},
		{Name: "a tab", Header: field(key, prefix+tab+secret[len(tab)-1:]), Early: true},
		{Name: "not ASCII", Header: field(key, value+"é"), Early: true},
		{Name: "no UTF-8", Header: field(key, value+"\xff"), Early: true},
	}
	if hasScheme {
		attacks = append(attacks,
			Attack{Name: "without a scheme", Header: field(key, secret), Reason: auth.ReasonMissing},
			Attack{Name: "with another scheme", Header: field(key, "Digest "+secret), Reason: auth.ReasonMissing},
			Attack{Name: "the scheme alone", Header: field(key, scheme), Early: true},
			Attack{Name: "the scheme twice", Header: field(key, scheme+" "+value)})
	}
	return attacks
}
