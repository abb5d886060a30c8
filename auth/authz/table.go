package authz

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/ashlar-go/ashlar/auth"
)

// table has the rules of one operation, by what a caller must have for them to apply.
type table struct {
	operation string
	rules     []entry // by rank
	roles     map[string]*index
	scopes    map[string]*index
	anybody   int // the first rule for all, and for all that are known
	known     int
}

// index is a role or a scope that rules ask for.
type index struct {
	bit     uint64 // shared by several where there are more than 64
	asked   int
	entries []int // of the rules that are looked at for those who have it, by rank
}

// entry is a rule with the bits of its roles and scopes.
type entry struct {
	rule          *Rule
	roles, scopes uint64
}

const none = math.MaxInt

// compile finds the rules of an operation.
func (r *Rules) compile(operation string) *table {
	t := &table{operation: operation, roles: make(map[string]*index), scopes: make(map[string]*index), anybody: none, known: none}
	for i := range r.all {
		rule := &r.all[i]
		if !rule.covers(operation) {
			continue
		}
		e := entry{rule: rule}
		for _, role := range rule.Roles {
			e.roles |= ask(t.roles, role)
		}
		for _, scope := range rule.Scopes {
			e.scopes |= ask(t.scopes, scope)
		}
		t.rules = append(t.rules, e)
	}
	for i, e := range t.rules {
		t.file(i, e.rule)
	}
	return t
}

func ask(all map[string]*index, name string) (bit uint64) {
	x := all[name]
	if x == nil {
		x = &index{bit: 1 << (len(all) % 64)}
		all[name] = x
	}
	x.asked++
	return x.bit
}

// file puts a rule where callers whom it is about find it: under the scope that the fewest rules ask for, or under each of its roles,
// where those are asked for less.
func (t *table) file(i int, rule *Rule) {
	switch rule.Who {
	case Anybody:
		t.anybody = min(t.anybody, i)
		return
	case Authenticated:
		t.known = min(t.known, i)
		return
	}
	var rarest *index
	for _, scope := range rule.Scopes {
		if x := t.scopes[scope]; rarest == nil || x.asked < rarest.asked {
			rarest = x
		}
	}
	most := 0
	for _, role := range rule.Roles {
		most = max(most, t.roles[role].asked)
	}
	if rarest != nil && (len(rule.Roles) == 0 || rarest.asked <= most) {
		rarest.entries = append(rarest.entries, i)
		return
	}
	for _, role := range rule.Roles {
		t.roles[role].entries = append(t.roles[role].entries, i)
	}
}

// decide returns the rule that decides for a caller, nil where there is none.
func (t *table) decide(p *auth.Principal) *Rule {
	best := t.anybody
	if p != nil {
		best = min(best, t.known)
		var roles, scopes uint64
		for _, name := range p.Roles {
			if x := t.roles[name]; x != nil {
				roles |= x.bit
			}
		}
		for _, name := range p.Scopes {
			if x := t.scopes[name]; x != nil {
				scopes |= x.bit
			}
		}
		if roles != 0 {
			best = t.first(p.Roles, t.roles, best, roles, scopes, p)
		}
		if scopes != 0 {
			best = t.first(p.Scopes, t.scopes, best, roles, scopes, p)
		}
	}
	if best == none {
		return nil
	}
	return t.rules[best].rule
}

// first returns the first rule under the names that is before best and applies, else best.
func (t *table) first(names []string, by map[string]*index, best int, roles, scopes uint64, p *auth.Principal) int {
	for _, name := range names {
		x := by[name]
		if x == nil {
			continue
		}
		for _, i := range x.entries {
			if i >= best {
				break
			}
			e := &t.rules[i]
			if (e.roles == 0 || e.roles&roles != 0) && e.scopes&^scopes == 0 && e.rule.appliesTo(p) {
				best = i
				break
			}
		}
	}
	return best
}

// appliesTo reports whether a caller has the roles and scopes of the rule, which has some.
func (r *Rule) appliesTo(p *auth.Principal) bool {
	return (len(r.Roles) == 0 || slices.ContainsFunc(r.Roles, p.HasRole)) && r.scoped(p)
}

func (r *Rule) scoped(p *auth.Principal) bool {
	for _, scope := range r.Scopes {
		if !p.HasScope(scope) {
			return false
		}
	}
	return true
}

// explain decides, and says why.
func (t *table) explain(p *auth.Principal) Decision {
	d := Decision{Operation: t.operation, Caller: p.String()}
	rule := t.decide(p)
	switch {
	case rule != nil:
		d.Allowed, d.Rule = rule.Effect == Allow, rule.Name
		verb := "denies"
		if d.Allowed {
			verb = "allows"
		}
		d.Why = fmt.Sprintf("rule %q %s it to %s", rule.Name, verb, rule.whom(p))
	case len(t.rules) == 0:
		d.Why = "no rule is about this operation"
	default:
		d.Why = "no rule of this operation is about this caller"
	}
	if !d.Allowed && p != nil {
		d.Scopes = t.missing(p)
	}
	return d
}

// whom says what of the rule is true of the caller.
func (r *Rule) whom(p *auth.Principal) string {
	switch r.Who {
	case Anybody:
		return "anybody"
	case Authenticated:
		return "whoever is authenticated"
	}
	var parts []string
	if i := slices.IndexFunc(r.Roles, p.HasRole); i >= 0 {
		parts = append(parts, "the role "+r.Roles[i])
	}
	if len(r.Scopes) > 0 {
		parts = append(parts, "the scopes "+strings.Join(r.Scopes, " "))
	}
	return "those with " + strings.Join(parts, " and ")
}

// missing returns the scopes of the first rule by which the caller would be allowed, had he them. It tries a few, as it is for those
// who are refused.
func (t *table) missing(p *auth.Principal) []string {
	const few = 16
	tries := 0
	for _, e := range t.rules {
		r := e.rule
		if r.Effect != Allow || len(r.Scopes) == 0 || len(r.Roles) > 0 && !slices.ContainsFunc(r.Roles, p.HasRole) || r.scoped(p) {
			continue
		}
		if tries++; tries > few {
			break
		}
		with := *p
		with.Scopes = slices.Concat(p.Scopes, r.Scopes)
		if got := t.decide(&with); got != nil && got.Effect == Allow {
			return r.Scopes
		}
	}
	return nil
}
