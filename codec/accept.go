package codec

import (
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
// are plain media types in the order of the server's preference.
func Negotiate(accept, offers []string) (int, *NotAcceptableError) {
	if len(accept) == 0 || len(accept) == 1 && (accept[0] == "" || accept[0] == "*/*" || accept[0] == offers[0]) {
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
		for element := range strings.SplitSeq(value, ",") {
			mediaRange, w, ok := parseRange(element)
			if !ok {
				continue
			}
			if sp := match(mediaRange, offer); sp > specificity || sp == specificity && sp > 0 && w > q {
				q, specificity = w, sp
			}
		}
	}
	return q
}

// match returns 3 for the type itself, 2 for type/*, 1 for */*, and 0 for none of them.
func match(mediaRange, offer string) int {
	switch {
	case strings.EqualFold(mediaRange, offer):
		return 3
	case mediaRange == "*/*":
		return 1
	}
	if prefix, ok := strings.CutSuffix(mediaRange, "/*"); ok && prefix != "*" {
		if t, _, _ := strings.Cut(offer, "/"); strings.EqualFold(t, prefix) {
			return 2
		}
	}
	return 0
}

// parseRange splits an element of an Accept list. Parameters other than q are ignored.
func parseRange(element string) (mediaRange string, weight int, ok bool) {
	mediaRange, params, _ := strings.Cut(element, ";")
	mediaRange = strings.TrimSpace(mediaRange)
	if !strings.Contains(mediaRange, "/") {
		return "", 0, false
	}
	weight = 1000
	for params != "" {
		var param string
		param, params, _ = strings.Cut(params, ";")
		name, value, _ := strings.Cut(strings.TrimSpace(param), "=")
		if !strings.EqualFold(strings.TrimSpace(name), "q") {
			continue
		}
		q, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
		if err != nil || !(q >= 0 && q <= 1) { // not NaN either
			return "", 0, false
		}
		weight = int(q*1000 + 0.5)
	}
	return mediaRange, weight, true
}
