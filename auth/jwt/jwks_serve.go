package jwtauth

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/ashlar-go/ashlar/internal/option"
)

// MarshalJWKS returns a JWK Set (RFC 7517) with the public halves of keys, which each have an id of their own. A secret is refused: it has
// no public half.
func MarshalJWKS(keys ...*Key) ([]byte, error) {
	text, err := marshalJWKS(keys)
	if err != nil {
		return nil, fmt.Errorf("jwtauth: MarshalJWKS: %w", err)
	}
	return text, nil
}

func marshalJWKS(keys []*Key) ([]byte, error) {
	if _, err := Set(keys...); err != nil {
		return nil, err
	}
	all := jose.JSONWebKeySet{}
	for _, k := range keys {
		entry := jose.JSONWebKey{Key: k.public, KeyID: k.id, Algorithm: string(k.alg), Use: "sig"}
		if !entry.IsPublic() {
			return nil, fmt.Errorf("the %v is a secret, which nobody may publish", k)
		}
		all.Keys = append(all.Keys, entry)
	}
	return json.Marshal(all)
}

// ServeJWKS returns a handler that publishes the public halves of keys, for the JWKS of those who verify. They may keep it for maxAge, of
// whole seconds. To bring in a new key, publish it first, and sign with it when maxAge is over; take the old one away when the last token
// that it signed has expired.
func ServeJWKS(maxAge time.Duration, keys ...*Key) (http.Handler, error) {
	err := option.Within("maxAge", maxAge, time.Second, 24*time.Hour)
	var text []byte
	if err == nil {
		text, err = marshalJWKS(keys)
	}
	if err != nil {
		return nil, fmt.Errorf("jwtauth: ServeJWKS: %w", err)
	}
	sum := sha256.Sum256(text)
	tag, cache := fmt.Sprintf("\"%x\"", sum[:16]), fmt.Sprintf("public, max-age=%d", maxAge/time.Second)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
			return
		}
		w.Header().Set("Content-Type", "application/jwk-set+json")
		w.Header().Set("Cache-Control", cache)
		w.Header().Set("ETag", tag)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(text))
	}), nil
}
