package sd

import (
	"context"
	"iter"
	"slices"
)

// Condition says whether an instance is wanted. InZone, HasTag, HasVersion and Not make them; any function will do.
type Condition func(instance Instance) bool

// InZone wants instances in one of the zones.
func InZone(zones ...string) Condition {
	return func(i Instance) bool { return slices.Contains(zones, i.Zone) }
}

// HasVersion wants instances of one of the versions.
func HasVersion(versions ...string) Condition {
	return func(i Instance) bool { return slices.Contains(versions, i.Version) }
}

// HasTag wants instances that have all of the tags.
func HasTag(tags ...string) Condition {
	return func(i Instance) bool {
		return !slices.ContainsFunc(tags, func(tag string) bool { return !slices.Contains(i.Tags, tag) })
	}
}

// Not wants the instances that the condition does not want. It panics when that is nil.
func Not(condition Condition) Condition {
	if condition == nil {
		panic("sd: Not: the condition is nil")
	}
	return func(i Instance) bool { return !condition(i) }
}

type filter struct {
	from       Instancer
	conditions []Condition
}

// Filter is the Instancer of those instances of from that all conditions want. A change of the others is no change of its set. It
// panics when from or a condition is nil.
func Filter(from Instancer, conditions ...Condition) Instancer {
	if from == nil || slices.ContainsFunc(conditions, func(c Condition) bool { return c == nil }) {
		panic("sd: Filter: the Instancer or a condition is nil")
	}
	return &filter{from: from, conditions: slices.Clone(conditions)}
}

// Watch implements Instancer.
func (f *filter) Watch(ctx context.Context) iter.Seq2[[]Instance, error] {
	return func(yield func([]Instance, error) bool) {
		var (
			last  []Instance
			known bool
		)
		for set, err := range f.from.Watch(ctx) {
			if err == nil {
				set = slices.DeleteFunc(slices.Clone(set), f.unwanted)
				if known && Same(last, set) {
					continue
				}
				last = set
			}
			known = err == nil
			if !yield(set, err) {
				return
			}
		}
	}
}

func (f *filter) unwanted(i Instance) bool {
	return slices.ContainsFunc(f.conditions, func(c Condition) bool { return !c(i) })
}
