package redislimit

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// maxKey is how many bytes of a key are stored as they are. Of longer ones it is a hash, so that callers who choose their keys cannot fill
// the memory of Redis with them.
const maxKey = 128

// keys makes the names under which Redis holds the states: prefix, name, and the key in braces, by which a cluster finds its slot.
type keys struct{ head string }

func newKeys(prefix, name string) (keys, error) {
	if name == "" {
		return keys{}, errors.New("the name is empty")
	}
	head := prefix + name
	if strings.ContainsAny(head, "{}") {
		return keys{}, fmt.Errorf("the name %q has braces, by which all keys would be in one slot of a cluster", head)
	}
	return keys{head: head + ":{"}, nil
}

// of returns the name for a key. Different keys have different names, and nothing in a key ends the braces early.
func (k keys) of(key string) string { return k.head + tag(key) + "}" }

// probe returns a name beside that of the key, in the same slot of a cluster, that is the name of no key.
func (k keys) probe(key string) string { return k.of(key) + "probe" }

// tag returns what stands for the key between the braces. Where that is not the key itself it has a % and what no other has after it.
func tag(key string) string {
	switch {
	case key == "":
		return "%-" // nothing in braces is no tag
	case len(key) > maxKey:
		sum := sha256.Sum256([]byte(key))
		return "%" + hex.EncodeToString(sum[:])
	case !strings.ContainsAny(key, "{}%"):
		return key
	}
	return strings.NewReplacer("{", "%(", "}", "%)", "%", "%%").Replace(key)
}
