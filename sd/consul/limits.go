package consul

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/ashlar-go/ashlar/sd"
	"github.com/ashlar-go/ashlar/sd/internal/driver"
)

// The limits of Consul on the meta of a service.
const (
	maxPairs    = 64
	maxKeyLen   = 128
	maxValueLen = 512
	reserved    = "consul-"
)

// keys are those that Consul takes.
var keys = regexp.MustCompile(`^[a-zA-Z0-9_-]+$`)

// checkLimits returns why Consul cannot store the instance, whose meta would be that.
func checkLimits(instance sd.Instance, meta map[string]string) error {
	for _, key := range slices.Sorted(maps.Keys(instance.Metadata)) {
		if err := checkKey(key); err != nil {
			return err
		}
	}
	if len(meta) > maxPairs {
		return fmt.Errorf("it has %d pairs of metadata, %d of them for its ID, zone, version and the like, and Consul stores %d",
			len(meta), len(meta)-len(instance.Metadata), maxPairs)
	}
	for _, key := range slices.Sorted(maps.Keys(meta)) {
		if n := len(meta[key]); n > maxValueLen {
			return fmt.Errorf("its %s has %d bytes, and Consul stores %d", name(key), n, maxValueLen)
		}
	}
	_, err := driver.Marshal(instance)
	return err
}

func checkKey(key string) error {
	switch {
	case len(key) > maxKeyLen:
		return fmt.Errorf("the key %q of its metadata has %d bytes, and Consul stores %d", key, len(key), maxKeyLen)
	case !keys.MatchString(key):
		return fmt.Errorf("the key %q of its metadata is not of the letters, digits, _ and - that Consul wants", key)
	case strings.HasPrefix(key, reserved), strings.HasPrefix(key, own):
		return fmt.Errorf("the key %q of its metadata begins with %s or %s, which are reserved", key, reserved, own)
	case key == zoneKey, key == versionKey:
		return fmt.Errorf("the key %q of its metadata is where the instance's field of that name is stored; set the field", key)
	}
	return nil
}

// name is how an error calls what is stored under the key.
func name(key string) string {
	switch key {
	case idKey:
		return "ID"
	case zoneKey, versionKey:
		return key
	}
	return "metadata " + key
}
