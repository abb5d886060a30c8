package sd_test

import (
	"testing"
	"testing/synctest"

	"github.com/ashlar-go/ashlar/sd"
)

func TestConditions(t *testing.T) {
	t.Parallel()
	i := sd.Instance{Address: "a", Zone: "eu-1", Version: "v2", Tags: []string{"canary", "fast"}}
	for name, row := range map[string]struct {
		condition sd.Condition
		want      bool
	}{
		"in the zone":        {sd.InZone("eu-1"), true},
		"in one of the two":  {sd.InZone("us-1", "eu-1"), true},
		"in another zone":    {sd.InZone("us-1"), false},
		"in no zone":         {sd.InZone(), false},
		"of the version":     {sd.HasVersion("v1", "v2"), true},
		"of another version": {sd.HasVersion("v1"), false},
		"with the tag":       {sd.HasTag("fast"), true},
		"with both tags":     {sd.HasTag("fast", "canary"), true},
		"with one of two":    {sd.HasTag("fast", "cheap"), false},
		"with no tag":        {sd.HasTag(), true},
		"not in the zone":    {sd.Not(sd.InZone("eu-1")), false},
		"not in another":     {sd.Not(sd.InZone("us-1")), true},
	} {
		if have := row.condition(i); row.want != have {
			t.Errorf("%s: want %t, have %t", name, row.want, have)
		}
	}
}

func TestAFilterLeavesOutWhatAConditionDoesNotWant(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSource()
		l := follow(t.Context(), sd.Filter(s, sd.InZone("eu"), sd.Not(sd.HasVersion("v1"))))
		instance := func(address, zone, version string) sd.Instance {
			return sd.Instance{ID: address, Address: address, Zone: zone, Version: version}
		}
		a, b, c := instance("a", "eu", "v2"), instance("b", "eu", "v1"), instance("c", "us", "v2")
		all := []sd.Instance{a, b, c}
		s.turns <- turn{set: all}
		l.want(t, []sd.Instance{a})
		if !sd.Same([]sd.Instance{a, b, c}, all) {
			t.Errorf("the set of the other was changed to %v", all)
		}
		s.turns <- turn{set: []sd.Instance{a, c}} // nothing that is wanted has changed
		l.want(t)
		s.fail(errAway)
		l.want(t, errAway)
		s.turns <- turn{set: []sd.Instance{a, b}}
		l.want(t, []sd.Instance{a})
		s.turns <- turn{set: []sd.Instance{b, c}}
		l.want(t, []sd.Instance{})
		s.turns <- turn{set: []sd.Instance{c}}
		l.want(t)
		l.cancel()
		l.ended(t)
		if n := s.active.Load(); n != 0 {
			t.Errorf("want no watch after the loop, have %d", n)
		}
	})
}

func TestAFilterCanBeLeft(t *testing.T) {
	t.Parallel()
	s := newSource()
	s.set("a")
	for have, err := range sd.Filter(s).Watch(t.Context()) {
		if err != nil || !sd.Same(set("a"), have) {
			t.Errorf("have %v, %v", have, err)
		}
		break
	}
	if n := s.active.Load(); n != 0 {
		t.Errorf("want no watch after the loop, have %d", n)
	}
}

func TestAFilterKeepsTheConditionsThatItWasGiven(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSource()
		conditions := []sd.Condition{sd.InZone("eu")}
		l := follow(t.Context(), sd.Filter(s, conditions...))
		conditions[0] = sd.HasTag()
		s.set("a")
		l.want(t, set())
	})
}

func TestAFilterOfNothingPanics(t *testing.T) {
	t.Parallel()
	panics(t, "no Instancer", func() { sd.Filter(nil) })
	panics(t, "no condition", func() { sd.Filter(newSource(), sd.HasTag(), nil) })
	panics(t, "not nil", func() { sd.Not(nil) })
}
