package jwtauth

import (
	"context"
	"errors"
	"fmt"
)

// Keys finds the key that a token is to be verified with, by the kid of its header: "" where there is none, else up to MaxKeyID visible
// characters of ASCII. Whoever sent the token chose them, so they are a key to look up and never a part of a path or of a query. An error
// refuses the token; one with auth.ErrUnavailable says that it cannot be known now. Keys are safe for concurrent use, and return when ctx
// ends.
type Keys interface {
	Key(ctx context.Context, id string) (*Key, error)
}

// Set returns Keys of several keys, each with an id of its own. A token that names none of them is refused, and so is one that names no
// key at all. Old keys stay in it until the last token that they signed has expired.
func Set(keys ...*Key) (Keys, error) {
	if len(keys) == 0 {
		return nil, errors.New("jwtauth: Set: there are no keys")
	}
	all := make(set, len(keys))
	for i, k := range keys {
		switch {
		case k == nil || k.method == nil:
			return nil, fmt.Errorf("jwtauth: Set: key %d: %w", i, errZeroKey)
		case k.id == "":
			return nil, fmt.Errorf("jwtauth: Set: key %d has no id", i)
		case all[k.id] != nil:
			return nil, fmt.Errorf("jwtauth: Set: there are two keys with the id %q", k.id)
		}
		all[k.id] = k
	}
	return all, nil
}

type set map[string]*Key

func (s set) Key(_ context.Context, id string) (*Key, error) {
	if k := s[id]; k != nil {
		return k, nil
	}
	return nil, errUnknownKey
}
