package codec

import (
	"iter"
	"slices"
	"strconv"
	"strings"
)

// Accept returns the codec to answer with and the content type to name, for the values of an Accept header field
// (RFC 9110, section 12.5.1): lists, q-values and wildcards. The most specific range that matches a type decides on its
// weight, and what is weighted 0 is excluded; the highest weight wins, and among equals the order of the set. As in ForType
// a structured suffix counts: application/vnd.shop+json means application/json as well, unless that is excluded by name.
// Malformed elements of the list are passed over; where nothing is left, as without any value, the default answers. It
// fails with a *NotAcceptableError.
func (s *Set) Accept(accept ...string) (Codec, string, error) {
	i := negotiate(accept, s.reads)
	if i < 0 {
		return nil, "", notAcceptable(accept, s.offers)
	}
	contentType := s.reads[i]
	return s.byType[contentType], contentType, nil
}

// Negotiate returns the index of the offer that the values of an Accept header field prefer, as Set.Accept does. Offers
// are plain media types in the order of the server's preference. A range with parameters matches as if it had none, but
// one without decides. It fails with a *NotAcceptableError and returns -1, without offers always.
func Negotiate(accept, offers []string) (int, error) {
	i := negotiate(accept, offers)
	if i < 0 {
		return i, notAcceptable(accept, offers)
	}
	return i, nil
}

func notAcceptable(accept, offers []string) error {
	return &NotAcceptableError{Accept: strings.Join(accept, ", "), Offer: slices.Clone(offers)}
}

// negotiate returns -1 if nothing is acceptable.
func negotiate(accept, offers []string) int {
	if len(offers) > 0 && (len(accept) == 0 || len(accept) == 1 && (accept[0] == "" || accept[0] == "*/*" || accept[0] == offers[0])) {
		return 0
	}
	best, bestWeight := -1, 0.0
	for i, offer := range offers {
		w, understood := weight(accept, offer)
		if !understood {
			return 0
		}
		if w > bestWeight {
			best, bestWeight = i, w
		}
	}
	return best
}

// weight returns the q-value of the most specific range that matches the offer, 0 if none does, and whether any range was
// understood. A suffix raises what wildcards say.
func weight(accept []string, offer string) (q float64, understood bool) {
	specificity, suffix := byNothing, 0.0
	for _, value := range accept {
		for element := range split(value, ',') {
			r, ok := parseRange(element)
			if !ok {
				continue
			}
			understood = true
			if sp := r.match(offer); sp > specificity || sp == specificity && sp > byNothing && r.weight > q {
				q, specificity = r.weight, sp
			}
			if strings.EqualFold(withoutPrefix(r.name), offer) {
				suffix = max(suffix, r.weight)
			}
		}
	}
	if specificity < byName {
		q = max(q, suffix)
	}
	return q, understood
}

// How specific a range is.
const (
	byNothing = iota
	byAll
	byKind
	byName
	byNameAlone // without parameters
)

// mediaRange is an element of an Accept list.
type mediaRange struct {
	name   string // type/subtype, type/* or */*
	params bool   // whether there are parameters besides q
	weight float64
}

// match returns how specifically the range means the offer.
func (r mediaRange) match(offer string) int {
	switch {
	case strings.EqualFold(r.name, offer) && r.params:
		return byName
	case strings.EqualFold(r.name, offer):
		return byNameAlone
	case r.name == "*/*":
		return byAll
	}
	if prefix, ok := strings.CutSuffix(r.name, "/*"); ok && prefix != "*" {
		if t, _, _ := strings.Cut(offer, "/"); strings.EqualFold(t, prefix) {
			return byKind
		}
	}
	return byNothing
}

// parseRange reads an element of an Accept list.
func parseRange(element string) (r mediaRange, ok bool) {
	r.weight = 1
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
		r.weight = q
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
