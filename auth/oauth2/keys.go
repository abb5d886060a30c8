package oauth2auth

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"errors"
	"fmt"
	"slices"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-json-experiment/json/jsontext"
)

const (
	maxKeys = 64
	minRSA  = 2048
	maxRSA  = 16384 // to verify with a longer one takes so long that it is an attack
)

// key is one that a provider signs with.
type key struct {
	id         string
	algorithms []string // that it is for
	public     crypto.PublicKey
}

// readKeys reads a JSON Web Key Set. Keys that are not for signing, or that are not understood, are left out, as RFC 7517, section 5, has
// it; secrets are no public keys.
func readKeys(text []byte) (keys []key, err error) {
	var set struct {
		Keys []jsontext.Value `json:"keys"`
	}
	if err := unmarshal(text, &set); err != nil {
		return nil, errors.New("the answer is no key set")
	}
	if len(set.Keys) > maxKeys {
		return nil, fmt.Errorf("there are %d, more than %d", len(set.Keys), maxKeys)
	}
	for _, text := range set.Keys {
		var k jose.JSONWebKey
		if err := k.UnmarshalJSON(text); err != nil || k.Use != "" && k.Use != "sig" {
			continue
		}
		if all := algorithmsOf(k.Key); k.Algorithm == "" && all != nil {
			keys = append(keys, key{k.KeyID, all, k.Key})
		} else if slices.Contains(all, k.Algorithm) {
			keys = append(keys, key{k.KeyID, []string{k.Algorithm}, k.Key})
		}
	}
	if len(keys) == 0 {
		return nil, errors.New("there are none for signatures")
	}
	return keys, nil
}

// algorithmsOf returns what such a key can be for: none for secrets, private and weak keys.
func algorithmsOf(public any) []string {
	switch public := public.(type) {
	case *rsa.PublicKey:
		if bits := public.N.BitLen(); bits < minRSA || bits > maxRSA {
			return nil
		}
		return []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}
	case *ecdsa.PublicKey:
		switch public.Curve.Params().BitSize {
		case 256:
			return []string{"ES256"}
		case 384:
			return []string{"ES384"}
		case 521:
			return []string{"ES512"}
		}
	case ed25519.PublicKey:
		return []string{"EdDSA"}
	}
	return nil
}

// choose returns the keys that a token with that header may have been signed by: those with its kid, and where it has none the only one
// there is for its algorithm, as OpenID Connect Core, section 10.1, has it. The algorithm is that of the key, whatever a token says.
func (s *snapshot) choose(h *header) (public []crypto.PublicKey) {
	for _, k := range s.keys {
		if (h.KeyID == "" || k.id == h.KeyID) && slices.Contains(k.algorithms, h.Algorithm) {
			public = append(public, k.public)
		}
	}
	if h.KeyID == "" && len(public) > 1 {
		return nil
	}
	return public
}
