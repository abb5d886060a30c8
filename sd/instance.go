package sd

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// MaxWeight is the largest weight of an instance: that of a DNS SRV record.
const MaxWeight = 65535

// Instance is one running copy of a service.
type Instance struct {
	// ID tells the instance from others of the service, also from the one that had its address before. Empty it is the Address.
	ID string `json:"id,omitempty"`
	// Address is where it is called: "host:port", with IPv6 addresses in brackets as net.JoinHostPort writes them, or what else the
	// transport calls, such as a URL or a NATS subject.
	Address string `json:"address"`
	// Weight is its share of the calls in relation to the others, up to MaxWeight; 0 is unset, and counts as 1.
	Weight int `json:"weight,omitempty"`
	// Zone is where it runs, such as a data centre.
	Zone string `json:"zone,omitempty"`
	// Version is what it runs.
	Version string `json:"version,omitempty"`
	// Tags are what one can select it by, sorted.
	Tags []string `json:"tags,omitempty"`
	// Metadata is whatever else it says of itself.
	Metadata map[string]string `json:"metadata,omitempty"`
}

// Share is the Weight, or 1 where that is unset.
func (i Instance) Share() int { return max(i.Weight, 1) }

// Equal says whether the two are the same in all fields.
func (i Instance) Equal(other Instance) bool {
	return i.ID == other.ID && i.Address == other.Address && i.Weight == other.Weight && i.Zone == other.Zone && i.Version == other.Version &&
		slices.Equal(i.Tags, other.Tags) && maps.Equal(i.Metadata, other.Metadata)
}

// String returns the address, and the ID where it is another.
func (i Instance) String() string {
	if i.ID == "" || i.ID == i.Address {
		return i.Address
	}
	return i.ID + "@" + i.Address
}

// Check returns what is wrong with the instance, or nil: the address is missing, the weight is not from 0 to MaxWeight, a tag or a key of
// metadata is empty, a text is not UTF-8 or, but for the values of metadata, has control characters or spaces around it.
func (i Instance) Check() error {
	if i.Address == "" {
		return errors.New("the address is missing")
	}
	if i.Weight < 0 || i.Weight > MaxWeight {
		return fmt.Errorf("the weight is %d, want 0 to %d", i.Weight, MaxWeight)
	}
	texts := []struct{ name, text string }{{"ID", i.ID}, {"address", i.Address}, {"zone", i.Zone}, {"version", i.Version}}
	for _, t := range texts {
		if err := checkText(t.text); err != nil {
			return fmt.Errorf("the %s %q %w", t.name, t.text, err)
		}
	}
	for _, tag := range i.Tags {
		if err := checkName(tag); err != nil {
			return fmt.Errorf("the tag %q %w", tag, err)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(i.Metadata)) {
		if err := checkName(key); err != nil {
			return fmt.Errorf("the key %q of metadata %w", key, err)
		}
		if value := i.Metadata[key]; !utf8.ValidString(value) {
			return fmt.Errorf("the metadata %s is %q, which is not UTF-8", key, value)
		}
	}
	return nil
}

func checkName(text string) error {
	if text == "" {
		return errors.New("is empty")
	}
	return checkText(text)
}

func checkText(text string) error {
	control := func(r rune) bool { return r < ' ' || r == 0x7f }
	switch {
	case !utf8.ValidString(text):
		return errors.New("is not UTF-8")
	case strings.ContainsFunc(text, control):
		return errors.New("has control characters")
	case strings.TrimSpace(text) != text:
		return errors.New("has spaces around it")
	}
	return nil
}

// InvalidError is yielded by a watch for an entry of the registry that is no instance. The entry is left out of the sets.
type InvalidError struct {
	Entry string // which one, as the registry names it
	Err   error  // what is wrong with it
}

// Error names the entry and what is wrong with it.
func (e *InvalidError) Error() string { return fmt.Sprintf("sd: entry %q: %v", e.Entry, e.Err) }

// Unwrap returns what is wrong with it.
func (e *InvalidError) Unwrap() error { return e.Err }
