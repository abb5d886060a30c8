package oauth2auth

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

// claims are those that this package understands, of a token or of what is said about it.
type claims struct {
	Issuer     string         `json:"iss"`
	Subject    string         `json:"sub"`
	Audience   words          `json:"aud"`
	Expires    *float64       `json:"exp"`
	NotBefore  *float64       `json:"nbf"`
	IssuedAt   *float64       `json:"iat"`
	Scope      words          `json:"scope"`
	SCP        words          `json:"scp"`
	Authorized string         `json:"azp"`
	Nonce      string         `json:"nonce"`
	AtHash     string         `json:"at_hash"` //nolint:tagliatelle // as OpenID Connect has it
	Bound      jsontext.Value `json:"cnf"`
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

// scopesOf returns those of scope and of scp: servers use either, as a list in a string or in an array.
func (r *claims) scopesOf() (all []string) {
	for _, w := range slices.Concat(r.Scope, r.SCP) {
		for one := range strings.FieldsSeq(w) {
			if !slices.Contains(all, one) {
				all = append(all, one)
			}
		}
	}
	return all
}

// principal holds claims against what is asked of them, and returns who they are of. Text is all of them.
func (c *checks) principal(text []byte, r *claims, method string, now time.Time) (*auth.Principal, error) {
	if !c.anyAudience && !slices.ContainsFunc(c.audiences, func(name string) bool { return slices.Contains(r.Audience, name) }) {
		return nil, errors.New("aud is missing or another")
	}
	if r.Bound != nil && r.Bound.Kind() != 'n' {
		return nil, errors.New("the token is bound to a key of its holder (cnf), and is none that can be taken without")
	}
	until, err := r.times(c.leeway, now)
	if err != nil {
		return nil, err
	}
	p := &auth.Principal{Subject: r.Subject, Issuer: r.Issuer, Scopes: r.scopesOf(), Method: method, Expires: until}
	for _, scope := range c.scopes {
		if !p.HasScope(scope) {
			return nil, fmt.Errorf("the scope %s is missing", scope)
		}
	}
	if len(c.required) > 0 || c.roles != nil || c.subject != "sub" {
		if err := c.others(text, p); err != nil {
			return nil, err
		}
	}
	if p.Subject == "" {
		return nil, fmt.Errorf("%s is missing", c.subject)
	}
	return p, nil
}

// others looks at the claims that options name.
func (c *checks) others(text []byte, p *auth.Principal) (err error) {
	var all members
	if err := unmarshal(text, &all); err != nil {
		return err
	}
	for _, claim := range c.required {
		if !all.has(claim) {
			return fmt.Errorf("%s is missing", claim)
		}
	}
	if p.Subject, err = all.subject(c.subject); err != nil {
		return err
	}
	p.Roles, err = all.roles(c.roles)
	return err
}

// times returns until when the claims hold, the zero time where they do not say.
func (r *claims) times(leeway time.Duration, now time.Time) (until time.Time, err error) {
	var of [3]time.Time
	for i, claim := range []struct {
		name    string
		seconds *float64
	}{{"exp", r.Expires}, {"nbf", r.NotBefore}, {"iat", r.IssuedAt}} {
		if of[i], err = date(claim.name, claim.seconds); err != nil {
			return until, err
		}
	}
	switch latest := now.Add(leeway); {
	case r.NotBefore != nil && of[1].After(latest):
		return until, fmt.Errorf("nbf is %v away", of[1].Sub(now))
	case r.IssuedAt != nil && of[2].After(latest):
		return until, fmt.Errorf("iat is %v away", of[2].Sub(now))
	case r.Expires == nil:
		return until, nil
	}
	until = of[0].Add(leeway)
	if !now.Before(until) {
		return until, fmt.Errorf("it expired %v ago, with %v of leeway", now.Sub(until), leeway)
	}
	return until, nil
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
