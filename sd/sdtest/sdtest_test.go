package sdtest_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/ashlar-go/ashlar/sd"
	"github.com/ashlar-go/ashlar/sd/sdtest"
)

func TestASoundRegistryPasses(t *testing.T) {
	t.Parallel()
	sdtest.Run(t, newRegistry().harness())
}

// passes fails the test for each violation of the harness, by the clock of synctest.
func passes(t *testing.T, h sdtest.Harness) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		if err := sdtest.Test(h); err != nil {
			t.Error(err)
		}
	})
}

func TestASystemWithoutRegistrarPasses(t *testing.T) {
	t.Parallel()
	r := newRegistry()
	h := r.harness()
	h.Registrar, h.Forget, h.Put = nil, nil, r.put
	h.Differences = []sdtest.Difference{{Check: "Registrar", Reason: "others put the instances there"}}
	passes(t, h)
}

func TestASystemThatLacksAllPasses(t *testing.T) {
	t.Parallel()
	r := newRegistry()
	passes(t, sdtest.Harness{
		Instancer: func(service string) (sd.Instancer, error) { return r.watch(service), nil },
		Put:       r.put,
		Differences: []sdtest.Difference{
			{Check: "Registrar", Reason: "others put the instances there"},
			{Check: "Corrupt", Reason: "it refuses them"},
			{Check: "Outage", Reason: "it is in memory"},
		},
	})
}

func TestADeclaredDifferenceIsNoViolation(t *testing.T) {
	t.Parallel()
	b := breakage{
		watch: fields(func(i *sd.Instance) { i.Weight = i.Share() }),
		harness: func(h *sdtest.Harness) {
			h.Differences = []sdtest.Difference{
				{Check: "Weight", Reason: "the system knows no weight of 0"},
				{Check: "Zone", Reason: "it takes too long", Sometimes: true},
			}
		},
	}
	for _, v := range b.tested(t) {
		t.Error(v)
	}
}

func TestADifferenceThatDoesNotOccurIsAViolation(t *testing.T) {
	t.Parallel()
	b := breakage{harness: func(h *sdtest.Harness) {
		h.Differences = []sdtest.Difference{{Check: "Weight", Reason: "a mistake"}, {Check: "OutageQuiet", Reason: "a mistake"}}
	}}
	var names []string
	for _, v := range b.tested(t) {
		names = append(names, v.Check)
		if want := "the declared difference does not occur; delete it"; v.Err.Error() != want {
			t.Errorf("want %q, have %v", want, v)
		}
	}
	if want := []string{"OutageQuiet", "Weight"}; !slices.Equal(want, slices.Sorted(slices.Values(names))) {
		t.Errorf("want %v, have %v", want, names)
	}
}

func TestAnIncompleteHarnessIsRefused(t *testing.T) {
	t.Parallel()
	declare := func(name, reason string) func(h *sdtest.Harness) {
		return func(h *sdtest.Harness) {
			h.Differences = append(h.Differences, sdtest.Difference{Check: name, Reason: reason})
		}
	}
	none := func(h *sdtest.Harness) { h.Registrar, h.Forget, h.Put = nil, nil, newRegistry().put }
	for want, changes := range map[string][]func(h *sdtest.Harness){
		"no Instancer":                                      {func(h *sdtest.Harness) { h.Instancer = nil }},
		"neither Registrar nor Put":                         {func(h *sdtest.Harness) { h.Registrar = nil }},
		"a Registrar and Put":                               {func(h *sdtest.Harness) { h.Put = newRegistry().put }},
		"Forget and no Registrar":                           {func(h *sdtest.Harness) { h.Registrar, h.Put = nil, newRegistry().put }},
		"must not be negative":                              {func(h *sdtest.Harness) { h.Limit = -1 }},
		"no Registrar; declare it":                          {none},
		"no Forget; declare it":                             {func(h *sdtest.Harness) { h.Forget = nil }},
		"no Corrupt; declare it":                            {func(h *sdtest.Harness) { h.Corrupt = nil }},
		"no Outage; declare it":                             {func(h *sdtest.Harness) { h.Outage = nil }},
		"there is no Outage, and has it":                    {declare("Outage", "a mistake")},
		`"Colour": there is no such check`:                  {declare("Colour", "a mistake")},
		`"Weight": it must say why`:                         {declare("Weight", "")},
		`"Weight" is declared twice`:                        {declare("Weight", "x"), declare("Weight", "y")},
		`"Replaces": the check does not run without Regist`: {none, declare("Registrar", "x"), declare("Replaces", "y")},
	} {
		h := newRegistry().harness()
		for _, change := range changes {
			change(&h)
		}
		if err := sdtest.Test(h); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, have %v", want, err)
		}
	}
}

func TestAViolationSaysWhatTheContractIs(t *testing.T) {
	t.Parallel()
	failed := errors.New("no room")
	b := breakage{harness: func(h *sdtest.Harness) {
		h.Instancer = func(string) (sd.Instancer, error) { return nil, failed }
	}}
	all := b.tested(t)
	for _, clause := range sdtest.Contract() {
		i := slices.IndexFunc(all, func(v *sdtest.Violation) bool { return v.Check == clause.Check })
		if i < 0 {
			t.Errorf("%s does not tell", clause.Check)
			continue
		}
		if have := all[i].Error(); !errors.Is(all[i], failed) || !strings.HasPrefix(have, clause.Check+": ") ||
			!strings.HasSuffix(have, "\n\tthe contract: "+clause.Text) {
			t.Errorf("have %s", have)
		}
	}
}

func TestTheContractHasAClauseForEachCheck(t *testing.T) {
	t.Parallel()
	names := map[string]bool{}
	for _, clause := range sdtest.Contract() {
		if clause.Check == "" || clause.Text == "" || names[clause.Check] {
			t.Errorf("incomplete or there twice: %+v", clause)
		}
		names[clause.Check] = true
	}
}

// unclosable is an Instancer that cannot be closed.
type unclosable struct{ sd.Instancer }

func (unclosable) Close() error { return errors.New("it is stuck") }

func TestWhatCannotBeClosedIsAViolation(t *testing.T) {
	t.Parallel()
	b := breakage{harness: func(h *sdtest.Harness) {
		next := h.Instancer
		h.Instancer = func(service string) (sd.Instancer, error) {
			i, err := next(service)
			return unclosable{i}, err
		}
	}}
	all := b.tested(t)
	if len(all) < len(sdtest.Contract())-10 {
		t.Errorf("want a violation of each check, have %d", len(all))
	}
	for _, v := range all {
		if !strings.Contains(v.Error(), "it is stuck") {
			t.Error(v)
		}
	}
}
