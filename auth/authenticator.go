package auth

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ashlar-go/ashlar/transport"
)

// ErrNone is found by errors.Is in the error of an Authenticator for a call that has no credentials of its kind. Only after such an error
// AnyOf asks another, and Optional lets the call through: a call with bad credentials is refused, whatever else it has. Joined with another
// error it does not count.
var ErrNone = errors.New("the call has no such credentials")

// ErrUnavailable is found by errors.Is in the error of an Authenticator that cannot say now whether credentials are good, since what it
// asks does not answer. The call is refused, and worth repeating.
var ErrUnavailable = errors.New("the credentials cannot be checked now")

// Authenticator finds out who makes a call, by what the transport knows of it: its header fields, its connection. An error refuses the
// call. ErrNone and ErrUnavailable in it are understood, and a ChallengeError; anything else says that the credentials are bad. What it
// says is for the log of the server. A Principal without a Subject, or which has expired, is refused, too. An Authenticator is safe for
// concurrent use, and returns when ctx ends: when the time of the call is up, or its own (Limit).
type Authenticator interface {
	Authenticate(ctx context.Context, call *transport.Info) (*Principal, error)
}

// Func is a function as an Authenticator.
type Func func(ctx context.Context, call *transport.Info) (*Principal, error)

// Authenticate calls f. A nil f refuses every call.
func (f Func) Authenticate(ctx context.Context, call *transport.Info) (*Principal, error) {
	if f == nil {
		return nil, errNil
	}
	return f(ctx, call)
}

// ChallengeError is an error of an Authenticator with what the header field WWW-Authenticate tells the caller then.
type ChallengeError struct {
	// Challenge is the scheme and its parameters, as in RFC 9110, section 11.6.1: `Bearer realm="shop", error="invalid_token"`.
	Challenge string
	// Err is the reason, for the log of the server.
	Err error
}

// Error returns the text of Err.
func (e *ChallengeError) Error() string {
	if e == nil || e.Err == nil {
		return "refused"
	}
	return e.Err.Error()
}

// Unwrap returns Err.
func (e *ChallengeError) Unwrap() error {
	if e == nil {
		return nil
	}
	return e.Err
}

// challenges returns those of all that refused, in their order, but for what no header field can hold.
func challenges(err error) (all []string) {
	for err != nil {
		switch e := err.(type) { //nolint:errorlint // it is the tree that is walked
		case *ChallengeError:
			if e != nil && e.Challenge != "" && !slices.Contains(all, e.Challenge) && unprintable(e.Challenge) < 0 {
				all = append(all, e.Challenge)
			}
			err = e.Unwrap()
		case interface{ Unwrap() []error }:
			for _, one := range e.Unwrap() {
				all = append(all, challenges(one)...)
			}
			return all
		default:
			err = errors.Unwrap(err)
		}
	}
	return all
}

// none reports whether err says that there are no credentials, and nothing else: an error that is joined with another one, of bad
// credentials or of those that cannot be checked, says more.
func none(err error) bool {
	switch e := err.(type) { //nolint:errorlint // it is the tree that is walked
	case interface{ Unwrap() []error }:
		all := e.Unwrap()
		return len(all) > 0 && !slices.ContainsFunc(all, func(one error) bool { return !none(one) })
	case interface{ Unwrap() error }:
		inner := e.Unwrap()
		return inner != nil && none(inner)
	}
	return err == ErrNone //nolint:errorlint // as above
}

// AnyOf returns an Authenticator for calls that have the credentials of any of several: the first that finds credentials of its kind
// decides, also when they are bad. So a bearer token that has expired is not made up for by the certificate of the connection. With no
// authenticators every call is refused.
func AnyOf(authenticators ...Authenticator) Authenticator {
	all := slices.Clone(authenticators)
	return Func(func(ctx context.Context, call *transport.Info) (*Principal, error) {
		missing := make([]error, 0, len(all)+1)
		for i, one := range all {
			if isOptional(one) {
				return nil, errNested
			}
			p, err := authenticate(ctx, one, call)
			if err == nil {
				return p, nil
			}
			if !none(err) {
				return nil, fmt.Errorf("authenticator %d of %d: %w", i+1, len(all), err)
			}
			missing = append(missing, err)
		}
		return nil, errors.Join(append(missing, ErrNone)...)
	})
}

// Optional returns an Authenticator for Middleware that lets calls without credentials through, as those of nobody: PrincipalOf is nil
// then, and Challenges has what the authenticator would have told the caller. Calls with bad credentials are refused. It goes around AnyOf,
// not into it.
func Optional(authenticator Authenticator) Authenticator { return optional{authenticator} }

type optional struct{ Authenticator }

// Authenticate returns neither a Principal nor an error for nobody, which no other Authenticator may.
func (o optional) Authenticate(ctx context.Context, call *transport.Info) (*Principal, error) {
	p, err := authenticate(ctx, o.Authenticator, call)
	if none(err) {
		return nil, nil //nolint:nilnil // as said above
	}
	return p, err
}

// withinOptional returns the Authenticator that Optional is around, or a itself, and whether it is.
func withinOptional(a Authenticator) (inner Authenticator, is bool) {
	for {
		o, ok := a.(optional)
		if !ok {
			return a, is
		}
		a, is = o.Authenticator, true
	}
}

// authenticate asks a, and sees to it that there is either somebody or an error.
func authenticate(ctx context.Context, a Authenticator, call *transport.Info) (*Principal, error) {
	if a == nil {
		return nil, errNil
	}
	p, err := a.Authenticate(ctx, call)
	switch {
	case err != nil:
		return nil, err
	case p == nil && !isOptional(a):
		return nil, errNobody
	case p != nil && p.Subject == "":
		return nil, errNameless
	case p != nil && !p.Expires.IsZero() && !p.Expires.After(time.Now()):
		return nil, fmt.Errorf("auth: the credentials of %v have expired at %v", p, p.Expires)
	}
	return p, nil
}

func isOptional(a Authenticator) bool {
	_, is := a.(optional)
	return is
}

var (
	errNil      = errors.New("auth: the Authenticator is nil")
	errNested   = errors.New("auth: Optional goes around AnyOf, not into it")
	errNobody   = errors.New("auth: the Authenticator returned neither a Principal nor an error")
	errNameless = errors.New("auth: the Authenticator returned a Principal without a Subject")
)
