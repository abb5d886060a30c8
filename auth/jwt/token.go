package jwtauth

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// maxDepth is how deep the JSON of a token may be.
const maxDepth = 32

// header is what is read of the first part of a token. What would say where to find a key (jku, jwk, x5u, x5c) is not.
type header struct {
	Algorithm Algorithm      `json:"alg"`
	KeyID     string         `json:"kid"`
	Type      string         `json:"typ"`
	Critical  jsontext.Value `json:"crit"`
}

// is reports whether the typ is that one. Both may leave out application/, as RFC 7515, section 4.1.9, has it.
func (h *header) is(typ string) bool { return strings.EqualFold(mediaType(typ), mediaType(h.Type)) }

func mediaType(typ string) string {
	const prefix = "application/"
	if len(typ) > len(prefix) && strings.EqualFold(typ[:len(prefix)], prefix) && !strings.Contains(typ[len(prefix):], "/") {
		return typ[len(prefix):]
	}
	return typ
}

// parts are those of a token that nothing is proved of.
type parts struct {
	header    header
	signed    string // what the signature is for
	claims    string // still encoded
	signature []byte
}

// split reads all of a token but its claims.
func split(token string, most int) (p parts, err error) {
	if len(token) > most {
		return p, fmt.Errorf("the token has %d bytes, more than %d", len(token), most)
	}
	first, last := strings.IndexByte(token, '.'), strings.LastIndexByte(token, '.')
	if first < 0 || strings.Count(token, ".") != 2 {
		return p, errors.New("the token has not three parts")
	}
	p.signed, p.claims = token[:last], token[first+1:last]
	if p.signature, err = decode(token[last+1:]); err != nil {
		return p, fmt.Errorf("the signature: %w", err)
	}
	if err := read(token[:first], &p.header); err != nil {
		return p, fmt.Errorf("the header: %w", err)
	}
	if p.header.Critical != nil {
		return p, errors.New("the header has crit, and no extension is understood")
	}
	return p, checkKeyID(p.header.KeyID)
}

// read decodes a part that is an object of JSON, in which nothing is there twice.
func read(part string, into any) error {
	text, err := decode(part)
	if err != nil {
		return err
	}
	return unmarshal(text, into)
}

func unmarshal(text []byte, into any) error {
	if len(text) == 0 || text[0] != '{' {
		return errors.New("it is no object of JSON")
	}
	if tooDeep(text) {
		return fmt.Errorf("it is more than %d deep", maxDepth)
	}
	return withoutValues(json.Unmarshal(text, into))
}

// withoutValues says where a JSON is not for a type of Go. What JSON for Go says has the value in it, which is not for a log.
func withoutValues(err error) error {
	if s, is := errors.AsType[*json.SemanticError](err); is {
		return fmt.Errorf("a JSON %v at %q is not for the type %v", s.JSONKind, s.JSONPointer, s.GoType)
	}
	return err
}

// decode is strict: each part has one encoding only, without padding and line breaks.
func decode(part string) ([]byte, error) {
	if strings.ContainsAny(part, "\r\n") {
		return nil, errors.New("it has a line break")
	}
	text, err := base64.RawURLEncoding.Strict().DecodeString(part)
	if err != nil {
		return nil, errors.New("it is not in base64url")
	}
	return text, nil
}

// tooDeep looks at a text that may be no JSON at all.
func tooDeep(text []byte) bool {
	depth, quoted := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			if depth++; depth > maxDepth {
				return true
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return false
}
