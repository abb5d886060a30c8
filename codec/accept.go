package codec

import (
	"iter"
	"slices"
	"strconv"
	"strings"
)

// Accept returns the codec to answer with and the content type to name, for the values of an Accept header field
// (RFC 9110, section 12.5.1): lists, q-values and wildcards. The most specific range that matches a type decides on its
// weight; the highest weight wins, and among equals the order of the set. Without any value the default answers. It fails
// with a *NotAcceptableError. Malformed elements of the list are passed over.
func (s *Set) Accept(accept ...string) (Codec, string, error) {
	i, err := Negotiate(accept, s.reads)
	if err != nil {
		err.Offer = slices.Clone(s.offers)
		return nil, "", err
	}
	contentType := s.reads[i]
	return s.byType[contentType], contentType, nil
}

// Negotiate returns the index of the offer that the values of an Accept header field prefer, as Set.Accept does. Offers
// are plain media types in the order of the server's preference. A range with parameters matches as if it had none, but
// one without decides. Without offers nothing is acceptable.
func Negotiate(accept, offers []string) (int, *NotAcceptableError) {
	if len(offers) > 0 && (len(accept) == 0 || len(accept) == 1 && (accept[0] == "" || accept[0] == "*/*" || accept[0] == offers[0])) {
		return 0, nil
	}
	best, bestWeight := -1, 0
	for i, offer := range offers {
		if w := weight(accept, offer); w > bestWeight {
			best, bestWeight = i, w
		}
	}
	if best < 0 {
		return -1, &NotAcceptableError{Accept: strings.Join(accept, ", "), Offer: slices.Clone(offers)}
	}
	return best, nil
}

// weight returns the q-value of the most specific range that matches the offer, times 1000; 0 if none does.
func weight(accept []string, offer string) int {
	q, specificity := 0, 0
	for _, value := range accept {
		for element := range split(value, ',') {
			r, ok := parseRange(element)
			if !ok {
				continue
			}
			if sp := r.match(offer); sp > specificity || sp == specificity && sp > 0 && r.weight > q {
				q, specificity = r.weight, sp
			}
		}
	}
	return q
}

// mediaRange is an element of an Accept list.
type mediaRange struct {
	name   string // type/subtype, type/* or */*
	params bool   // whether there are parameters besides q
	weight int    // q, times 1000
}

// match returns how specifically the range means the offer, 0 if it does not.
func (r mediaRange) match(offer string) int {
	const all, ofType, withParams, exact = 1, 2, 3, 4
	switch {
	case strings.EqualFold(r.name, offer) && r.params:
		return withParams
	case strings.EqualFold(r.name, offer):
		return exact
	case r.name == "*/*":
		return all
	}
	if prefix, ok := strings.CutSuffix(r.name, "/*"); ok && prefix != "*" {
		if t, _, _ := strings.Cut(offer, "/"); strings.EqualFold(t, prefix) {
			return ofType
		}
	}
	return 0
}

// parseRange reads an element of an Accept list.
func parseRange(element string) (r mediaRange, ok bool) {
	r.weight = 1000
	first := true
	for part := range split(element, ';') {
		part = strings.TrimSpace(part)
		if first {
			r.name, first = part, false
			continue
		}
		name, value, _ := strings.Cut(part, "=")
		if !strings.EqualFold(strings.TrimSpace(name), "q") {
			r.params = r.params || part != ""
			continue
		}
		q, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
		if err != nil || !(q >= 0 && q <= 1) { // not NaN either
			return mediaRange{}, false
		}
		r.weight = int(q*1000 + 0.5)
	}
	return r, strings.Contains(r.name, "/")
}

// split is strings.SplitSeq, except that it leaves quoted strings whole.
func split(s string, separator byte) iter.Seq[string] {
	return func(yield func(string) bool) {
		start, quoted := 0, false
		for i := 0; i < len(s); i++ {
			switch c := s[i]; {
			case c == '"':
				quoted = !quoted
			case c == '\\' && quoted:
				i++
			case c == separator && !quoted:
				if !yield(s[start:i]) {
					return
				}
				start = i + 1
			}
		}
		yield(s[start:])
	}
}
