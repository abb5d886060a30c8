package sdtest

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
)

// Names of what a harness may lack.
const (
	needRegistrar = "Registrar"
	needForget    = "Forget"
	needCorrupt   = "Corrupt"
	needOutage    = "Outage"
)

// complete fills in what a harness may leave out, and fails for what it must not.
func (h *Harness) complete() error {
	switch {
	case h.Instancer == nil:
		return errors.New("sdtest: the harness has no Instancer")
	case h.Registrar == nil && h.Put == nil:
		return errors.New("sdtest: the harness has neither Registrar nor Put")
	case h.Registrar != nil && h.Put != nil:
		return errors.New("sdtest: the harness has a Registrar and Put; want one of them")
	case h.Registrar == nil && h.Forget != nil:
		return errors.New("sdtest: the harness has Forget and no Registrar")
	case h.Limit < 0 || h.Watches < 0:
		return errors.New("sdtest: Limit and Watches must not be negative")
	}
	h.Limit, h.Watches = cmp.Or(h.Limit, DefaultLimit), cmp.Or(h.Watches, DefaultWatches)
	return h.completeDifferences()
}

func (h *Harness) completeDifferences() error {
	lacks := h.lacks()
	for _, name := range []string{needRegistrar, needForget, needCorrupt, needOutage} {
		declared := h.declared(name) != nil
		switch {
		case lacks[name] && !declared && (name != needForget || !lacks[needRegistrar]):
			return fmt.Errorf("sdtest: the harness has no %s; declare it as a difference, with the reason", name)
		case !lacks[name] && declared:
			return fmt.Errorf("sdtest: the harness declares that there is no %s, and has it", name)
		}
	}
	seen := map[string]bool{}
	for _, d := range h.Differences {
		i := slices.IndexFunc(checks(), func(c check) bool { return c.name == d.Check })
		_, need := lacks[d.Check]
		switch {
		case i < 0 && !need:
			return fmt.Errorf("sdtest: the difference %q: there is no such check", d.Check)
		case d.Reason == "":
			return fmt.Errorf("sdtest: the difference %q: it must say why", d.Check)
		case seen[d.Check]:
			return fmt.Errorf("sdtest: the difference %q is declared twice", d.Check)
		case i >= 0 && h.missing(checks()[i]) != nil:
			return fmt.Errorf("sdtest: the difference %q: the check does not run without %s", d.Check, h.missing(checks()[i]).Check)
		}
		seen[d.Check] = true
	}
	return nil
}

// lacks says of each thing that a harness may lack whether this one does.
func (h *Harness) lacks() map[string]bool {
	return map[string]bool{
		needRegistrar: h.Registrar == nil, needForget: h.Forget == nil, needCorrupt: h.Corrupt == nil, needOutage: h.Outage == nil,
	}
}

func (h *Harness) declared(name string) *Difference {
	if i := slices.IndexFunc(h.Differences, func(d Difference) bool { return d.Check == name }); i >= 0 {
		return &h.Differences[i]
	}
	return nil
}

// missing returns the declaration of something that the check needs and the harness does not have, or nil.
func (h *Harness) missing(c check) *Difference {
	lacks := h.lacks()
	for _, name := range c.needs {
		if lacks[name] {
			return h.declared(name)
		}
	}
	return nil
}

// judge runs the check and returns what is wrong: what it sees without a declared difference, and a declared difference that it does not
// see.
func (h *Harness) judge(c check) []*Violation {
	return h.compare(c, newCell(h).test(c))
}

// judgeOutage does the same with the checks of the outage, by their names.
func (h *Harness) judgeOutage() map[string][]*Violation {
	seen := newCell(h).outage()
	wrong := make(map[string][]*Violation)
	for _, c := range outageChecks() {
		wrong[c.name] = h.compare(c, seen[c.name])
	}
	return wrong
}

// compare compares what the check has seen with what is declared of it.
func (h *Harness) compare(c check, seen []*Violation) (wrong []*Violation) {
	occurs := false
	for _, v := range seen {
		occurs = occurs || v.Check == c.name
		if h.declared(v.Check) == nil {
			wrong = append(wrong, v)
		}
	}
	if d := h.declared(c.name); d != nil && !occurs && !d.Sometimes {
		wrong = append(wrong, violation(c.name, errors.New("the declared difference does not occur; delete it")))
	}
	return wrong
}

// violation returns err as a breach of the check of that name.
func violation(name string, err error) *Violation {
	all := checks()
	i := slices.IndexFunc(all, func(c check) bool { return c.name == name })
	return &Violation{Check: name, Clause: all[i].clause, Err: err}
}
