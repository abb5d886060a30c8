package codec

import (
	"errors"
	"fmt"
	"mime"
	"slices"
	"strings"
)

// Set negotiates between codecs. It does not change after NewSet, and is safe for concurrent use.
type Set struct {
	codecs []Codec
	byType map[string]Codec // by each type, and by the spellings with a charset that most clients use
	offers []string         // the first type of each codec
	reads  []string         // all types of all codecs
}

// NewSet returns a set of the codecs; the first is the default. It fails without any codec, for a codec without a content
// type, for a content type that is not a plain lower-case type/subtype, and when two codecs claim the same one.
func NewSet(codecs ...Codec) (*Set, error) {
	if len(codecs) == 0 {
		return nil, errors.New("codec: a set needs at least one codec")
	}
	s := &Set{codecs: slices.Clone(codecs), byType: make(map[string]Codec)}
	for i, c := range codecs {
		if c == nil {
			return nil, fmt.Errorf("codec: codec %d of the set is nil", i)
		}
		types := c.ContentTypes()
		if len(types) == 0 {
			return nil, fmt.Errorf("codec: codec %d of the set has no content type", i)
		}
		for _, t := range types {
			if parsed, params, err := mime.ParseMediaType(t); err != nil || parsed != t || len(params) > 0 || !strings.Contains(t, "/") {
				return nil, fmt.Errorf("codec: codec %d of the set: %q is not a plain lower-case media type", i, t)
			}
			if _, taken := s.byType[t]; taken {
				return nil, fmt.Errorf("codec: codec %d of the set: %q is claimed twice", i, t)
			}
			for _, charset := range []string{"", "; charset=utf-8", ";charset=utf-8", "; charset=UTF-8", ";charset=UTF-8"} {
				s.byType[t+charset] = c
			}
			s.reads = append(s.reads, t)
		}
		s.offers = append(s.offers, types[0])
	}
	return s, nil
}

// Default returns the first codec.
func (s *Set) Default() Codec { return s.codecs[0] }

// Types returns all content types that the set reads.
func (s *Set) Types() []string { return slices.Clone(s.reads) }

// ForType returns the codec that reads a Content-Type. Parameters are ignored, except that a charset other than UTF-8 is
// refused; a structured suffix (RFC 6839) counts, so that application/vnd.shop+json is read as JSON. An empty content type is
// refused like an unknown one, with an *UnsupportedTypeError.
func (s *Set) ForType(contentType string) (Codec, error) {
	if c, ok := s.byType[contentType]; ok {
		return c, nil
	}
	mediaType, params, err := mime.ParseMediaType(contentType)
	if err == nil && isUTF8(params["charset"]) {
		if c, ok := s.byType[mediaType]; ok {
			return c, nil
		}
		if c, ok := s.byType[withoutPrefix(mediaType)]; ok {
			return c, nil
		}
	}
	return nil, &UnsupportedTypeError{Have: contentType, Want: s.Types()}
}

// withoutPrefix returns application/json for application/vnd.shop+json and its like, "" for any other type.
func withoutPrefix(mediaType string) string {
	if i := strings.LastIndexByte(mediaType, '+'); i > 0 {
		return "application/" + mediaType[i+1:]
	}
	return ""
}

func isUTF8(charset string) bool {
	return charset == "" || strings.EqualFold(charset, "utf-8") || strings.EqualFold(charset, "us-ascii")
}
