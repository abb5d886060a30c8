package sd

import (
	"slices"
	"strings"
)

// Normalize returns the instances in the form of a set: with the ID that they have by default and sorted tags, sorted by ID, and
// without duplicates. Of two with one ID, or with one address, the first of instances remains. It keeps the maps of metadata, and tags
// that are sorted, and changes nothing of what it is given.
func Normalize(instances []Instance) []Instance {
	set := make([]Instance, 0, len(instances))
	ids := make(map[string]struct{}, len(instances))
	addresses := make(map[string]struct{}, len(instances))
	for _, i := range instances {
		if i.ID == "" {
			i.ID = i.Address
		}
		_, known := ids[i.ID]
		if _, taken := addresses[i.Address]; known || taken {
			continue
		}
		ids[i.ID], addresses[i.Address] = struct{}{}, struct{}{}
		i.Tags = sorted(i.Tags)
		if len(i.Metadata) == 0 {
			i.Metadata = nil
		}
		set = append(set, i)
	}
	slices.SortFunc(set, func(a, b Instance) int { return strings.Compare(a.ID, b.ID) })
	return set
}

// sorted returns the tags sorted and each once, and leaves tags as they are.
func sorted(tags []string) []string {
	if len(tags) == 0 {
		return nil
	}
	if ascending(tags) {
		return tags
	}
	return slices.Compact(slices.Sorted(slices.Values(tags)))
}

// ascending says whether each text is greater than the one before it.
func ascending(texts []string) bool {
	for n := 1; n < len(texts); n++ {
		if texts[n-1] >= texts[n] {
			return false
		}
	}
	return true
}

// Same says whether two sets, as Normalize makes them, hold equal instances.
func Same(a, b []Instance) bool { return slices.EqualFunc(a, b, Instance.Equal) }
