package ratelimit

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ashlar-go/ashlar/internal/option"
)

// The defaults of a Gate.
const (
	DefaultMaxWaiters = 1000
	DefaultMaxWait    = 10 * time.Second
	DefaultPolicy     = "default"
)

// Option sets up a Gate. One that is given twice replaces the earlier, but for OnEvent. One that means nothing to the kind of limiter that
// the Gate has is refused.
type Option func(*config) error

type config struct {
	keys  bool // the limiter knows keys
	waits bool // it is a Waiter

	given   []string // the options that need another, in the order of their checks
	maxKeys string   // the option by which the limiter has a bound of its own to its keys

	key          Key
	emptyKey     EmptyKey
	perOperation bool
	cost         func(ctx context.Context, request any) (int, error)
	failure      Failure
	fields       bool
	policy       string
	quoted       string // the policy as a structured field has it
	unit         string // likewise
	reason       string
	messages     bool
	maxWaiters   int
	maxWait      time.Duration
	events       []func(Event)
}

func newConfig(limiter Limiter, waiter Waiter) config {
	c := config{
		keys: limiter != nil, waits: waiter != nil, fields: true, reason: ReasonLimited, maxWaiters: DefaultMaxWaiters, maxWait: DefaultMaxWait,
		quoted: `"` + DefaultPolicy + `"`,
	}
	switch l := limiter.(type) {
	case *Local:
		if l != nil && l.bounded {
			c.maxKeys = "LocalMaxKeys"
		}
	case *Quota:
		c.reason = ReasonQuota
		if l != nil && l.bounded {
			c.maxKeys = "QuotaMaxKeys"
		}
	}
	return c
}

// check returns what is wrong with the options together: one that cannot have any effect is a mistake.
func (c *config) check() error {
	given := func(name string) bool { return slices.Contains(c.given, name) }
	switch {
	case given("OnEmptyKey") && c.key == nil:
		return errors.New("OnEmptyKey: there are no keys: want By, too")
	case c.maxKeys != "" && c.key == nil && !c.perOperation:
		return fmt.Errorf("the limiter has %s, and here there is one key: want By or PerOperation", c.maxKeys)
	case given("Unit") && !c.fields:
		return errors.New("Unit: with NoFields nobody is told of it")
	case given("MaxWait") && c.maxWaiters == 0:
		return errors.New("MaxWait: with MaxWaiters(0) none waits")
	}
	return nil
}

func (c *config) needKeys(name string) error {
	if !c.keys {
		return fmt.Errorf("%s: it is for a Gate by NewGate", name)
	}
	return nil
}

// By gives each key a limit of its own. Without By there is one limit for all.
func By(key Key) Option {
	return func(c *config) error {
		if key == nil {
			return errors.New("By: the key is nil")
		}
		c.key = key
		return c.needKeys("By")
	}
}

// OnEmptyKey sets what is done with calls whose key is empty. The default is EmptyShared. It takes By.
func OnEmptyKey(rule EmptyKey) Option {
	return func(c *config) error {
		if rule > EmptyUnlimited {
			return fmt.Errorf("OnEmptyKey(%d): want EmptyShared, EmptyRefused or EmptyUnlimited", rule)
		}
		c.emptyKey = rule
		c.given = append(c.given, "OnEmptyKey")
		return c.needKeys("OnEmptyKey")
	}
}

// PerOperation gives each operation limits of its own, in place of one for all that the Gate decorates: the keys begin with the operation
// then. Where there is a Key as well, that costs an allocation in each call.
func PerOperation() Option {
	return func(c *config) error {
		c.perOperation = true
		return c.needKeys("PerOperation")
	}
}

// Cost takes as many events for a call as of says for the request, instead of one; for 0 the limiter is not asked. A cost that is more
// than there ever is at once is refused with ReasonCost. A call fails with Internal when the cost is less than 0, and when the
// request is not a Req, as around decoding, where it is the transport's own.
func Cost[Req any](of func(request Req) int) Option {
	return func(c *config) error {
		if of == nil {
			return errors.New("Cost: the function is nil")
		}
		c.cost = func(_ context.Context, request any) (int, error) {
			req, ok := request.(Req)
			if !ok {
				return 0, typeError[Req]("Cost", request)
			}
			return of(req), nil
		}
		return c.needKeys("Cost")
	}
}

// Failure is what is done with a call for which the limiter has no decision, since it failed.
type Failure uint8

// What can be done with calls while the limiter fails.
const (
	FailureRefuse Failure = iota // They are refused with Unavailable and ReasonNoDecision. The default.
	FailureAllow                 // They pass, and are counted in Status.
)

// OnFailure sets what is done with calls while the limiter fails, as one does that is shared over a network. The default is FailureRefuse.
// Either way events say when that begins and ends.
func OnFailure(rule Failure) Option {
	return func(c *config) error {
		if rule > FailureAllow {
			return fmt.Errorf("OnFailure(%d): want FailureRefuse or FailureAllow", rule)
		}
		c.failure = rule
		return c.needKeys("OnFailure")
	}
}

// Policy names the limit, in refusals, in events, and in the fields for callers, where it is DefaultPolicy otherwise. It is printable
// ASCII. Give two limits that a call passes two names: else the fields call the inner one "default-2", so that callers can tell them apart.
func Policy(name string) Option {
	return func(c *config) (err error) {
		if name == "" {
			return errors.New("Policy: the name is empty")
		}
		c.policy = name
		if c.quoted, err = quote(name); err != nil {
			return fmt.Errorf("Policy: %w", err)
		}
		return nil
	}
}

// Unit names what the events are, in RateLimit-Policy, where they are no requests: a name of the "RateLimit Quota Units" registry,
// such as "content-bytes".
func Unit(name string) Option {
	return func(c *config) (err error) {
		if name == "" {
			return errors.New("Unit: the name is empty")
		}
		if c.unit, err = quote(name); err != nil {
			return fmt.Errorf("Unit: %w", err)
		}
		c.given = append(c.given, "Unit")
		return c.needKeys("Unit")
	}
}

// NoFields keeps the limits to the server: there are no fields RateLimit and RateLimit-Policy in answers. Then a call that passes costs no
// allocation. Refusals say when to come back all the same.
func NoFields() Option {
	return func(c *config) error {
		c.fields = false
		return c.needKeys("NoFields")
	}
}

// Reason sets the reason of refusals, in upper case with underscores, such as "TOO_MANY_ORDERS". The default is ReasonLimited, and
// ReasonQuota for a Quota.
func Reason(reason string) Option {
	return func(c *config) error {
		if !isReason(reason) {
			return fmt.Errorf("Reason(%q): want words in upper case with underscores between them", reason)
		}
		c.reason = reason
		return nil
	}
}

func isReason(text string) bool {
	for word := range strings.SplitSeq(text, "_") {
		if word == "" || strings.Trim(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") != "" {
			return false
		}
	}
	return text[0] > '9'
}

// Messages counts each message that the client of a stream sends, and not the opening. A message that is refused ends the stream with that
// error; one that is delayed is read, or sent, later. A unary request is one message.
func Messages() Option {
	return func(c *config) error {
		c.messages = true
		return nil
	}
}

// MaxWaiters limits how many calls wait at a time; further ones are refused at once. The default is DefaultMaxWaiters; 0 lets none wait.
func MaxWaiters(calls int) Option {
	return func(c *config) error {
		if calls < 0 || !c.waits {
			return fmt.Errorf("MaxWaiters(%d): want 0 or more, and a Gate by Delaying", calls)
		}
		c.maxWaiters = calls
		return nil
	}
}

// MaxWait limits how long a call waits, besides its deadline. The default is DefaultMaxWait.
func MaxWait(limit time.Duration) Option {
	return func(c *config) error {
		if !c.waits {
			return errors.New("MaxWait: it is for a Gate by Delaying")
		}
		c.maxWait = limit
		c.given = append(c.given, "MaxWait")
		return option.Positive("MaxWait", limit)
	}
}

// OnEvent adds a function that is told what the Gate does. It is called on the goroutine of the call, several at once, and must be quick.
func OnEvent(told func(Event)) Option {
	return func(c *config) error {
		if told == nil {
			return errors.New("OnEvent: the function is nil")
		}
		c.events = append(c.events, told)
		return nil
	}
}
