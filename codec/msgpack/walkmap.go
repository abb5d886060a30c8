package msgpack

import (
	"github.com/ashlar-go/ashlar/codec"
	"github.com/ashlar-go/ashlar/internal/docpath"
)

var (
	errKey       = &codec.DecodeError{Problem: "want a string as the name of a member"}
	errKeyType   = &codec.DecodeError{Problem: "want a name that is a string, a number or a boolean"}
	errUnknown   = &codec.DecodeError{Problem: "unknown member"}
	errDuplicate = &codec.DecodeError{Problem: "the member appears twice"}
)

// structure walks the n members of a struct.
func (w *walker) structure(s *shape, n int) error {
	var few [64]bool
	seen := few[:]
	if len(s.fields) > len(few) {
		seen = make([]bool, len(s.fields))
	}
	for range n {
		h, size := readHead(w.data)
		switch {
		case size == 0:
			return errTruncated
		case h.class != classText:
			return errKey
		case h.n > uint64(len(w.data)-size):
			return errTruncated
		}
		name := w.data[size : size+int(h.n)]
		w.data = w.data[size+len(name):]
		var elem *shape
		if i, ok := s.names[string(name)]; ok {
			if seen[i] {
				return within(errDuplicate, func(rest string) string { return docpath.Member(string(name), rest) })
			}
			seen[i] = true
			elem = s.fields[i]
		} else if w.rejectUnknown {
			return within(errUnknown, func(rest string) string { return docpath.Member(string(name), rest) })
		}
		if err := w.value(elem); err != nil {
			return within(err, func(rest string) string { return docpath.Member(string(name), rest) })
		}
	}
	return nil
}

// mapping walks the n pairs of a map, or of one that becomes a map[string]any.
func (w *walker) mapping(s *shape, n int) error {
	var seen map[string]struct{}
	if n > 1 {
		seen = make(map[string]struct{}, n)
	}
	for range n {
		key := w.data
		if err := w.key(s); err != nil {
			return err
		}
		key = key[:len(key)-len(w.data)]
		if _, again := seen[string(key)]; again {
			return within(errDuplicate, func(rest string) string { return docpath.Member(keyName(key), rest) })
		}
		if seen != nil {
			seen[string(key)] = struct{}{}
		}
		elem := s
		if s.kind == kindMap {
			elem = s.elem
		}
		if err := w.value(elem); err != nil {
			return within(err, func(rest string) string { return docpath.Member(keyName(key), rest) })
		}
	}
	return nil
}

// key walks the key of a map.
func (w *walker) key(s *shape) error {
	h, size := readHead(w.data)
	switch {
	case size == 0:
		return errTruncated
	case s.kind == kindAny && h.class != classText:
		return errKey
	case s.kind == kindAny:
		return w.value(s)
	case s.key.kind != kindAny:
		return w.value(s.key)
	}
	switch h.class { //nolint:exhaustive // the others are not always hashable in Go
	case classText, classBool, classInt, classUint, classFloat32, classFloat64:
		return w.value(s.key)
	}
	return errKeyType
}

// keyName returns what to call a member in a path.
func keyName(key []byte) string {
	h, size := readHead(key)
	switch h.class { //nolint:exhaustive // the others have no name worth showing
	case classText, classBinary:
		return string(key[size:])
	case classInt, classUint:
		return h.integer()
	}
	return "?"
}
