package driver

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/ashlar-go/ashlar/sd"
)

// MaxEntry is the largest entry, in bytes, that is taken for an instance.
const MaxEntry = 64 << 10

// Marshal returns an instance as the JSON that is stored.
func Marshal(instance sd.Instance) ([]byte, error) {
	data, err := json.Marshal(instance)
	if err == nil && len(data) > MaxEntry {
		err = fmt.Errorf("sd: the instance takes %d bytes, and at most %d are stored", len(data), MaxEntry)
	}
	return data, err
}

// Unmarshal returns the instance that is stored as the entry of that name. Fields that it does not know are left out.
func Unmarshal(entry string, data []byte) (sd.Instance, *sd.InvalidError) {
	var instance sd.Instance
	err := fmt.Errorf("it takes %d bytes, more than %d", len(data), MaxEntry)
	if len(data) <= MaxEntry {
		err = json.Unmarshal(data, &instance)
	}
	if err == nil {
		err = instance.Check()
	}
	if err != nil {
		return sd.Instance{}, &sd.InvalidError{Entry: entry, Err: err}
	}
	return instance, nil
}

// Key returns an ID, which is not empty, as one element of a path, whatever is in it. Each ID has a key of its own. It takes up to three
// times the bytes of the ID.
func Key(id string) string {
	return strings.ReplaceAll(url.PathEscape(id), ".", "%2E") // a path of dots is none
}

// CheckService returns what is wrong with the name of a service: it is empty, has characters that a path or a subject gives a meaning, or
// that are not seen, or has nothing before, after or between its dots.
func CheckService(name string) error {
	switch {
	case name == "":
		return errors.New("sd: the name of the service is empty")
	case strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r >= 0x7f || strings.ContainsRune(`/\*>?#%"`, r) }):
		return fmt.Errorf(`sd: the name of the service is %q, want visible ASCII without any of /\*>?#%%"`, name)
	case slices.Contains(strings.Split(name, "."), ""):
		return fmt.Errorf("sd: the name of the service is %q, want something before, after and between the dots", name)
	}
	return nil
}
