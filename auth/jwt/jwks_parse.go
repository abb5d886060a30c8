package jwtauth

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// jwk is what is read of an entry. Where it says more of a key (x5u, x5c, x5t) is not: a certificate proves nothing here.
type jwk struct {
	Type       string   `json:"kty"`
	Use        string   `json:"use"`
	Operations []string `json:"key_ops"` //nolint:tagliatelle // as RFC 7517 has it
	Algorithm  string   `json:"alg"`
	ID         string   `json:"kid"`
	Curve      string   `json:"crv"`
	N          string   `json:"n"`
	E          string   `json:"e"`
	X          string   `json:"x"`
	Y          string   `json:"y"`

	Private jsontext.Value `json:"d"`
	Secret  jsontext.Value `json:"k"`
}

// parseSet reads a JWK Set, and returns its keys, and for each that is left out why.
func parseSet(text []byte, c *jwksConfig) (keys map[string]*Key, skipped []error, err error) {
	var all struct {
		Keys *[]jsontext.Value `json:"keys"`
	}
	if err := unmarshal(trimmed(text), &all); err != nil {
		return nil, nil, err
	}
	switch {
	case all.Keys == nil:
		return nil, nil, errors.New("it has no keys")
	case len(*all.Keys) > c.keys:
		return nil, nil, fmt.Errorf("it has %d keys, more than %d", len(*all.Keys), c.keys)
	}
	keys = make(map[string]*Key)
	twice := make(map[string]bool)
	for i, entry := range *all.Keys {
		k, err := parseKey(entry, c)
		switch {
		case err != nil:
			skipped = append(skipped, brief(fmt.Errorf("key %d is left out: %w", i, err), 512))
		case keys[k.id] != nil:
			twice[k.id] = true
			skipped = append(skipped, fmt.Errorf("key %d is left out, and the one before it: both have the id %q", i, k.id))
		default:
			keys[k.id] = k
		}
	}
	for id := range twice { // it is not known which of them is meant
		delete(keys, id)
	}
	if len(keys) == 0 && len(skipped) > 0 {
		return nil, nil, fmt.Errorf("none of the keys can be used: %w", errors.Join(skipped...))
	}
	return keys, skipped, nil
}

// brief returns err with no more than so many bytes of text: JSON and algorithms are quoted in it, as long as an issuer likes, and calls
// are refused with it.
func brief(err error, most int) error {
	text := err.Error()
	if len(text) <= most {
		return err
	}
	return errors.New(strings.ToValidUTF8(text[:most], "") + "...")
}

// trimmed takes off the white space of JSON.
func trimmed(text []byte) []byte {
	for len(text) > 0 && (text[0] == ' ' || text[0] == '\n' || text[0] == '\t' || text[0] == '\r') {
		text = text[1:]
	}
	return text
}

// parseKey returns the key of an entry, or why it is none to verify with.
func parseKey(entry []byte, c *jwksConfig) (*Key, error) {
	var j jwk
	if err := unmarshal(trimmed(entry), &j); err != nil {
		return nil, err
	}
	if err := checkKeyID(j.ID); err != nil {
		return nil, err
	}
	public, err := j.public()
	if err != nil {
		return nil, fmt.Errorf("%q: %w", j.ID, err)
	}
	alg := Algorithm(j.Algorithm)
	if j.Type == "RSA" && alg == "" {
		alg = c.rsa
	}
	return NewKey(j.ID, alg, public)
}

// public returns the key as the standard library has it.
func (j *jwk) public() (any, error) {
	switch {
	case j.Type == "oct" || j.Secret != nil:
		return nil, errors.New("it is a secret, which nobody may publish")
	case j.Private != nil:
		return nil, errors.New("it is a private key, which nobody may publish")
	case j.Use != "" && j.Use != "sig":
		return nil, errors.New("its use is another than sig")
	case j.Operations != nil && !slices.Contains(j.Operations, "verify"):
		return nil, errors.New("its key_ops are without verify")
	}
	part, err := json.Marshal(map[string]string{"kty": j.Type, "crv": j.Curve, "n": j.N, "e": j.E, "x": j.X, "y": j.Y})
	if err != nil {
		return nil, errors.New("its parts are no text")
	}
	for _, part := range []string{j.N, j.E, j.X, j.Y} {
		if _, err := decode(part); err != nil {
			return nil, fmt.Errorf("a part of it: %w", err)
		}
	}
	var key jose.JSONWebKey
	if err := key.UnmarshalJSON(part); err != nil {
		return nil, errors.New("it has a kty or a crv that is not known, or is not complete")
	}
	return key.Key, nil
}
