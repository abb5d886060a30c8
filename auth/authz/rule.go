package authz

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// What Rules are limited to.
const (
	MaxFile     = 1 << 20   // bytes that Parse and Load read
	MaxRules    = 10_000    // rules in all
	MaxList     = 100       // operations, roles or scopes of a rule, each
	MaxName     = 200       // bytes of a name of anything
	MaxPriority = 1_000_000 // of a rule; -MaxPriority is the lowest
)

// Effect is what a rule does.
type Effect string

// The effects of rules.
const (
	Allow Effect = "allow" // The call may be made.
	Deny  Effect = "deny"  // The call is refused, whatever rules of the same or a lower priority allow.
)

// Who is whom a rule is about, where it does not tell by roles and scopes.
type Who string

// All callers, and all that are known.
const (
	Anybody       Who = "anybody"       // Also those who have not authenticated.
	Authenticated Who = "authenticated" // Those of whom auth.PrincipalOf knows.
)

// Rule allows or denies operations. Among the rules that apply to a call the one with the highest Priority decides; of the same Priority
// those that deny go before those that allow, and then the first.
type Rule struct {
	// Name is that of the rule in logs and errors. No other has the same.
	Name string
	// Effect is Allow or Deny.
	Effect Effect
	// Operations are what it is about: "orders/Place". A * stands for any characters but a slash, as in "orders/*" or "orders/Get*", and
	// alone for all operations.
	Operations []string
	// Who is given instead of Roles and Scopes.
	Who Who
	// Roles are those of which the caller has at least one. Empty they do not matter.
	Roles []string
	// Scopes are those of which the caller has every one. Empty they do not matter.
	Scopes []string
	// Priority goes before the order and the effect of rules: the higher decides.
	Priority int
}

// check says what is wrong with rules, and between them.
func check(rules []Rule) error {
	switch {
	case len(rules) == 0:
		return errors.New("there are no rules, and every call would be refused")
	case len(rules) > MaxRules:
		return fmt.Errorf("there are %d rules, want at most %d", len(rules), MaxRules)
	}
	names := make(map[string]bool, len(rules))
	type key struct{ operation, who string }
	seen := make(map[key]*Rule, len(rules))
	for i := range rules {
		r := &rules[i]
		if err := r.check(); err != nil {
			return fmt.Errorf("rule %d (%.200q): %w", i+1, r.Name, err)
		}
		if names[r.Name] {
			return fmt.Errorf("rule %d (%q): there is another of this name", i+1, r.Name)
		}
		names[r.Name] = true
		who := r.key()
		for _, operation := range r.Operations {
			k := key{operation, who}
			if other := seen[k]; other != nil {
				word := "repeats"
				if other.Effect != r.Effect {
					word = "contradicts"
				}
				return fmt.Errorf("rule %d (%q): it %s rule %q: both are about %q and the same callers", i+1, r.Name, word, other.Name, operation)
			}
			seen[k] = r
		}
	}
	return nil
}

func (r *Rule) check() error {
	if err := checkName(r.Name); err != nil {
		return fmt.Errorf("name: %w", err)
	}
	if r.Effect != Allow && r.Effect != Deny {
		return fmt.Errorf("effect: %.200q is neither %q nor %q", string(r.Effect), Allow, Deny)
	}
	if len(r.Operations) == 0 {
		return errors.New("operations: there are none")
	}
	for _, list := range []struct {
		name  string
		items []string
		check func(string) error
	}{{"operations", r.Operations, checkOperation}, {"roles", r.Roles, checkName}, {"scopes", r.Scopes, checkScope}} {
		if err := checkList(list.items, list.check); err != nil {
			return fmt.Errorf("%s: %w", list.name, err)
		}
	}
	named := len(r.Roles) > 0 || len(r.Scopes) > 0
	switch {
	case r.Who != "" && r.Who != Anybody && r.Who != Authenticated:
		return fmt.Errorf("who: %.200q is neither %q nor %q", string(r.Who), Anybody, Authenticated)
	case r.Who != "" && named:
		return errors.New("who: it contradicts roles or scopes; give one or the other")
	case r.Who == "" && !named:
		return errors.New("who: there are neither roles nor scopes; say who it is")
	case r.Priority < -MaxPriority || r.Priority > MaxPriority:
		return fmt.Errorf("priority: %d is not between %d and %d", r.Priority, -MaxPriority, MaxPriority)
	}
	return nil
}

func checkList(items []string, one func(string) error) error {
	if len(items) > MaxList {
		return fmt.Errorf("there are %d, want at most %d", len(items), MaxList)
	}
	for i, item := range items {
		if err := one(item); err != nil {
			return fmt.Errorf("%.200q: %w", item, err)
		}
		if slices.Contains(items[:i], item) {
			return fmt.Errorf("%q is there twice", item)
		}
	}
	return nil
}

func checkName(name string) error {
	switch {
	case name == "":
		return errors.New("it is empty")
	case len(name) > MaxName:
		return fmt.Errorf("it has %d bytes, want at most %d", len(name), MaxName)
	case strings.TrimSpace(name) != name:
		return errors.New("it begins or ends with a space")
	}
	for _, c := range name {
		if c == utf8.RuneError || !unicode.IsPrint(c) {
			return errors.New("it has characters that cannot be printed")
		}
	}
	return nil
}

func checkOperation(operation string) error {
	switch {
	case strings.Contains(operation, " "):
		return errors.New("it has a space")
	case strings.Contains(operation, "**"):
		return errors.New("it has a **; a * alone is for all operations, and no other goes beyond a slash")
	case strings.HasPrefix(operation, "/") || strings.HasSuffix(operation, "/"):
		return errors.New("it begins or ends with a slash; want service/method")
	}
	return checkName(operation)
}

// checkScope takes the scopes of RFC 6749, section 3.3, which are safe in a quoted parameter.
func checkScope(scope string) error {
	for i := range len(scope) {
		if c := scope[i]; c <= ' ' || c > '~' || c == '"' || c == '\\' {
			return errors.New("it is no scope as in RFC 6749")
		}
	}
	if strings.Contains(scope, "*") {
		return errors.New("it has a *, which stands for nothing here")
	}
	return checkName(scope)
}

// key is the same for rules about the same callers.
func (r *Rule) key() string {
	return fmt.Sprintf("%q %q %q", r.Who, slices.Sorted(slices.Values(r.Roles)), slices.Sorted(slices.Values(r.Scopes)))
}

// covers reports whether the rule is about the operation.
func (r *Rule) covers(operation string) bool {
	return slices.ContainsFunc(r.Operations, func(pattern string) bool { return match(pattern, operation) })
}

// match reports whether the pattern matches the whole of name, with a * for any characters but a slash, and alone for all.
func match(pattern, name string) bool {
	if pattern == "*" {
		return true
	}
	star, from := -1, 0 // the last *, and where in name what follows it was tried
	p, n := 0, 0
	for n < len(name) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, from = p, n
			p++
		case p < len(pattern) && pattern[p] == name[n]:
			p++
			n++
		case star >= 0 && name[from] != '/':
			from++
			p, n = star+1, from
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}
