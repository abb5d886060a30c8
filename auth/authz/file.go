package authz

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"unicode/utf8"
)

// Load returns the Rules of a file, as Parse does.
func Load(path string) (*Rules, error) {
	file, err := os.Open(path) //nolint:gosec // the user's
	if err != nil {
		return nil, fmt.Errorf("authz: %w", err)
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, MaxFile+1))
	if err != nil {
		return nil, fmt.Errorf("authz: %w", err)
	}
	rules, err := Parse(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return rules, nil
}

// Parse returns the Rules of a JSON text:
//
//	{"rules": [
//		{"name": "staff", "effect": "allow", "operations": ["orders/*"], "roles": ["staff"], "scopes": ["orders:write"], "priority": 10},
//		{"name": "health", "effect": "allow", "operations": ["health/Check"], "who": "anybody"}
//	]}
//
// Members are named exactly so. One that is unknown or there twice is an error with its line, as is a value of another type; beyond that
// Parse refuses what New does.
func Parse(data []byte) (*Rules, error) {
	if len(data) > MaxFile {
		return nil, fmt.Errorf("authz: the rules have more than %d bytes", MaxFile)
	}
	if !utf8.Valid(data) {
		return nil, errors.New("authz: the rules are no UTF-8")
	}
	p := &parser{data: data, dec: json.NewDecoder(bytes.NewReader(data))}
	p.dec.UseNumber()
	rules, err := p.file()
	if err != nil {
		return nil, fmt.Errorf("authz: line %d: %w", 1+bytes.Count(data[:min(p.dec.InputOffset(), int64(len(data)))], []byte("\n")), err)
	}
	return New(rules...)
}

// parser reads by tokens, as encoding/json itself takes members twice and in any case.
type parser struct {
	data []byte
	dec  *json.Decoder
}

func (p *parser) file() (rules []Rule, err error) {
	found := false
	err = p.object(func(member string) error {
		if member != "rules" {
			return fmt.Errorf("there is no member %.200q; want rules", member)
		}
		found = true
		return p.array(func() error {
			if len(rules) == MaxRules {
				return fmt.Errorf("there are more than %d rules", MaxRules)
			}
			r, err := p.rule()
			rules = append(rules, r)
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, errors.New("the member rules is missing")
	}
	if _, err := p.dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("there is something after the end")
	}
	return rules, nil
}

func (p *parser) rule() (r Rule, err error) {
	err = p.object(func(member string) (err error) {
		switch member {
		case "name":
			r.Name, err = p.text()
		case "effect":
			r.Effect, err = text[Effect](p)
		case "who":
			r.Who, err = text[Who](p)
		case "operations":
			r.Operations, err = p.list()
		case "roles":
			r.Roles, err = p.list()
		case "scopes":
			r.Scopes, err = p.list()
		case "priority":
			r.Priority, err = p.number()
		default:
			return fmt.Errorf("rule %.200q: there is no member %.200q", r.Name, member)
		}
		if err != nil {
			return fmt.Errorf("rule %.200q: %s: %w", r.Name, member, err)
		}
		return nil
	})
	return r, err
}

// object reads an object, and calls member for the value of each.
func (p *parser) object(member func(name string) error) error {
	if err := p.open('{', "an object"); err != nil {
		return err
	}
	seen := make(map[string]bool)
	for p.dec.More() {
		name, err := p.text()
		if err != nil {
			return err
		}
		if seen[name] {
			return fmt.Errorf("the member %.200q is there twice", name)
		}
		seen[name] = true
		if err := member(name); err != nil {
			return err
		}
	}
	return p.end()
}

func (p *parser) array(item func() error) error {
	if err := p.open('[', "an array"); err != nil {
		return err
	}
	for p.dec.More() {
		if err := item(); err != nil {
			return err
		}
	}
	return p.end()
}

func (p *parser) open(delim json.Delim, what string) error {
	token, err := p.token()
	if err == nil && token != delim {
		err = fmt.Errorf("want %s", what)
	}
	return err
}

func (p *parser) end() error {
	_, err := p.token()
	return err
}

func (p *parser) token() (json.Token, error) {
	token, err := p.dec.Token()
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return token, err
}

// list reads strings; an empty list is refused, since it could be read as nobody or as everybody.
func (p *parser) list() (items []string, err error) {
	err = p.array(func() error {
		if len(items) == MaxList {
			return fmt.Errorf("there are more than %d", MaxList)
		}
		item, err := p.text()
		items = append(items, item)
		return err
	})
	if err == nil && len(items) == 0 {
		err = errors.New("the list is empty")
	}
	return items, err
}

// text reads a string that is not empty: one left out is not written.
func (p *parser) text() (string, error) { return text[string](p) }

func text[T ~string](p *parser) (T, error) {
	token, err := p.token()
	if err != nil {
		return "", err
	}
	s, ok := token.(string)
	if !ok || s == "" {
		return "", errors.New("want a string that is not empty")
	}
	return T(s), nil
}

func (p *parser) number() (int, error) {
	token, err := p.token()
	if err != nil {
		return 0, err
	}
	number, ok := token.(json.Number)
	if !ok {
		return 0, errors.New("want a number")
	}
	n, err := strconv.Atoi(number.String())
	if err != nil {
		return 0, errors.New("want a whole number")
	}
	return n, nil
}
