package sd

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
)

// Static is an Instancer of instances that never change.
type Static struct{ set []Instance }

// NewStatic returns the Instancer of these instances; of none, too. It copies them. It fails when Instance.Check refuses one, and when two
// have one ID or one address.
func NewStatic(instances ...Instance) (*Static, error) {
	for n, i := range instances {
		if err := i.Check(); err != nil {
			return nil, fmt.Errorf("sd: instance %d: %w", n, err)
		}
	}
	set := Normalize(instances)
	for n := range set {
		set[n].Tags, set[n].Metadata = slices.Clone(set[n].Tags), maps.Clone(set[n].Metadata)
	}
	if len(set) < len(instances) {
		return nil, fmt.Errorf("sd: of %d instances %d have the ID or the address of another", len(instances), len(instances)-len(set))
	}
	return &Static{set: set}, nil
}

// NewStaticAddresses returns the Instancer of instances that have an address and no more, as NewStatic does.
func NewStaticAddresses(addresses ...string) (*Static, error) {
	instances := make([]Instance, len(addresses))
	for n, a := range addresses {
		instances[n].Address = a
	}
	return NewStatic(instances...)
}

// Watch implements Instancer.
func (s *Static) Watch(ctx context.Context) iter.Seq2[[]Instance, error] {
	return func(yield func([]Instance, error) bool) {
		if ctx.Err() != nil || !yield(s.set, nil) {
			return
		}
		<-ctx.Done()
	}
}
