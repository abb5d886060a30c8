package jwtauth

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/ashlar-go/ashlar/auth"
)

// Token is what a function of Revoked is told of a token that is good in all else.
type Token struct {
	// ID is its jti, which may be empty.
	ID string
	// KeyID is the id of the key that it was verified with.
	KeyID string
	// Issuer, Subject and Expires are those of the Principal.
	Issuer, Subject string
	// IssuedAt is its iat, the zero time where it has none.
	IssuedAt time.Time
	// Expires is until when it would be taken.
	Expires time.Time
}

// registered are the claims that this package understands.
type registered struct {
	Issuer    string   `json:"iss"`
	Subject   string   `json:"sub"`
	Audience  words    `json:"aud"`
	Expires   *float64 `json:"exp"`
	NotBefore *float64 `json:"nbf"`
	IssuedAt  *float64 `json:"iat"`
	ID        string   `json:"jti"`
	Scope     words    `json:"scope"`
	SCP       words    `json:"scp"`
}

// words are a string, or an array of strings.
type words []string

// UnmarshalJSONFrom reads one or the other.
func (w *words) UnmarshalJSONFrom(from *jsontext.Decoder) error {
	if from.PeekKind() != '"' {
		return json.UnmarshalDecode(from, (*[]string)(w))
	}
	var one string
	err := json.UnmarshalDecode(from, &one)
	*w = words{one}
	return err
}

// scopes returns those of scope and of scp: issuers use either, as a list in a string or in an array.
func (r *registered) scopes() (all []string) {
	for _, w := range slices.Concat(r.Scope, r.SCP) {
		for one := range strings.FieldsSeq(w) {
			if !slices.Contains(all, one) {
				all = append(all, one)
			}
		}
	}
	return all
}

// verify holds what the claims say against the configuration, and returns what is known of the caller then.
func (r *registered) verify(c *config, now time.Time) (*auth.Principal, Token, error) {
	switch {
	case !c.anyIssuer && !slices.Contains(c.issuers, r.Issuer):
		return nil, Token{}, errors.New("iss is missing or another")
	case !c.anyAudience && !slices.ContainsFunc(c.audiences, func(name string) bool { return slices.Contains(r.Audience, name) }):
		return nil, Token{}, errors.New("aud is missing or another")
	}
	issued, until, err := r.times(c, now)
	if err != nil {
		return nil, Token{}, err
	}
	p := &auth.Principal{Subject: r.Subject, Issuer: r.Issuer, Scopes: r.scopes(), Method: "jwt", Expires: until}
	return p, Token{ID: r.ID, Issuer: r.Issuer, Subject: r.Subject, IssuedAt: issued, Expires: until}, nil
}

// times returns when the token was issued, and until when it is taken.
func (r *registered) times(c *config, now time.Time) (issued, until time.Time, err error) {
	expires, err := date("exp", r.Expires)
	if err != nil {
		return issued, until, err
	}
	from, err := date("nbf", r.NotBefore)
	if err != nil {
		return issued, until, err
	}
	if issued, err = date("iat", r.IssuedAt); err != nil {
		return issued, until, err
	}
	switch latest := now.Add(c.leeway); {
	case r.Expires == nil && !c.noExpiry:
		err = errors.New("exp is missing")
	case r.NotBefore != nil && from.After(latest):
		err = fmt.Errorf("nbf is %v away", from.Sub(now))
	case r.IssuedAt != nil && issued.After(latest):
		err = fmt.Errorf("iat is %v away", issued.Sub(now))
	case c.maxAge > 0 && r.IssuedAt == nil:
		err = errors.New("iat is missing, and the age is limited")
	}
	if err != nil {
		return issued, until, err
	}
	if r.Expires != nil {
		until = expires.Add(c.leeway)
	}
	if c.maxAge > 0 {
		if aged := issued.Add(c.maxAge + c.leeway); r.Expires == nil || aged.Before(until) {
			until = aged
		}
	}
	if !until.IsZero() && !now.Before(until) {
		return issued, until, fmt.Errorf("it expired %v ago, with %v of leeway", now.Sub(until), c.leeway)
	}
	return issued, until, nil
}

// date returns the time of a claim in seconds since 1970, which may have fractions; the zero time for none.
func date(claim string, seconds *float64) (time.Time, error) {
	if seconds == nil {
		return time.Time{}, nil
	}
	const last = 253402300799 // of the year 9999
	if !(*seconds >= 0 && *seconds <= last) {
		return time.Time{}, fmt.Errorf("%s is no time", claim)
	}
	whole, fraction := math.Modf(*seconds)
	return time.Unix(int64(whole), int64(fraction*1e9)), nil
}

// members are the claims by name.
type members map[string]jsontext.Value

func (m members) has(claim string) bool { return m[claim] != nil && m[claim].Kind() != 'n' }

// subject returns the claim of that name.
func (m members) subject(claim string) (subject string, err error) {
	if !m.has(claim) {
		return "", nil
	}
	if err := json.Unmarshal(m[claim], &subject); err != nil {
		return "", fmt.Errorf("%s is no string", claim)
	}
	return subject, nil
}

// roles returns those at the path, none where there is nothing.
func (m members) roles(path []string) (roles words, err error) {
	for ; len(path) > 0 && m.has(path[0]); path = path[1:] {
		if len(path) == 1 {
			err = json.Unmarshal(m[path[0]], &roles)
		} else {
			value := m[path[0]]
			m = nil
			err = json.Unmarshal(value, &m)
		}
		if err != nil {
			return nil, fmt.Errorf("%s is not what it should be for roles", path[0])
		}
	}
	return roles, nil
}
