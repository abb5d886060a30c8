package oauth2auth

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// maxDepth is how deep the JSON of a server or of a token may be.
const maxDepth = 32

// unmarshal reads an object of JSON, in which nothing is there twice.
func unmarshal(text []byte, into any) error {
	if !bytes.HasPrefix(bytes.TrimLeft(text, " \t\r\n"), []byte{'{'}) {
		return errors.New("it is no object of JSON")
	}
	if tooDeep(text) {
		return fmt.Errorf("it is more than %d deep", maxDepth)
	}
	return json.Unmarshal(text, into)
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

// header is what is read of the first part of a token. What would say where to find a key (jku, jwk, x5u, x5c) is not.
type header struct {
	Algorithm string         `json:"alg"`
	KeyID     string         `json:"kid"`
	Type      string         `json:"typ"`
	Critical  jsontext.Value `json:"crit"`
}

// headerOf returns the header of a token that has three parts, each strictly in base64url: other forms, which go-jose takes too, are
// refused.
func headerOf(token string) (h header, err error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return h, errors.New("the token has not three parts")
	}
	var first []byte
	for i, part := range parts {
		text, err := base64.RawURLEncoding.Strict().DecodeString(part)
		if err != nil || strings.ContainsAny(part, "\r\n") {
			return h, fmt.Errorf("part %d of the token is not in base64url", i+1)
		}
		if i == 0 {
			first = text
		}
	}
	if err := unmarshal(first, &h); err != nil {
		return h, fmt.Errorf("the header: %w", err)
	}
	if h.Critical != nil {
		return h, errors.New("the header has crit, and no extension is understood")
	}
	return h, nil
}
