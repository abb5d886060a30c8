package mdns

import (
	"errors"

	"golang.org/x/net/dns/dnsmessage"
)

const (
	maxPacket  = 9000                      // bytes of a message that is read (RFC 6762, section 17)
	maxMessage = 1200                      // bytes of one that is written, but for an instance that takes more by itself
	topBit     = dnsmessage.Class(1) << 15 // of the class: flush the cache in a record, answer by unicast in a question
)

// message is what matters here of a message of multicast DNS.
type message struct {
	response  bool
	more      bool // more known answers follow
	questions []dnsmessage.Question
	records   []dnsmessage.Resource // answers and additional records of a response, known answers of a query
}

var errIgnored = errors.New("an operation or an error of DNS")

// isResponse says whether a packet that is a message is no query.
func isResponse(data []byte) bool { return len(data) > 2 && data[2]&0x80 != 0 }

// parse reads a message. It leaves out what is not used here: other types of records, those of other classes, and those with names in
// which a label has a dot, which dnsmessage does not read.
func parse(data []byte) (m message, err error) {
	var p dnsmessage.Parser
	header, err := p.Start(data)
	if err != nil {
		return m, err
	}
	if header.OpCode != 0 || header.RCode != dnsmessage.RCodeSuccess {
		return m, errIgnored
	}
	m.response, m.more = header.Response, header.Truncated
	for {
		q, err := p.Question()
		if errors.Is(err, dnsmessage.ErrSectionDone) {
			break
		}
		if err == nil {
			m.questions = append(m.questions, q)
		} else if err := p.SkipQuestion(); err != nil {
			return m, err
		}
	}
	if m.records, err = appendRecords(m.records, p.AnswerHeader, &p, p.SkipAnswer); err != nil || !m.response {
		return m, err
	}
	if err := p.SkipAllAuthorities(); err != nil {
		return m, err
	}
	m.records, err = appendRecords(m.records, p.AdditionalHeader, &p, p.SkipAdditional)
	return m, err
}

// appendRecords reads one section.
func appendRecords(
	to []dnsmessage.Resource, next func() (dnsmessage.ResourceHeader, error), p *dnsmessage.Parser, skip func() error,
) ([]dnsmessage.Resource, error) {
	for {
		header, err := next()
		if errors.Is(err, dnsmessage.ErrSectionDone) {
			return to, nil
		}
		if err == nil {
			if body := bodyOf(p, header); body != nil {
				to = append(to, dnsmessage.Resource{Header: header, Body: body})
				continue
			}
		}
		if err := skip(); err != nil {
			return to, err
		}
	}
}

// bodyOf reads the body of a record, or returns nil and leaves it to be skipped.
func bodyOf(p *dnsmessage.Parser, header dnsmessage.ResourceHeader) dnsmessage.ResourceBody {
	if header.Class&^topBit != dnsmessage.ClassINET {
		return nil
	}
	switch header.Type { // the others are not used
	case dnsmessage.TypePTR:
		if body, err := p.PTRResource(); err == nil {
			return &body
		}
	case dnsmessage.TypeSRV:
		if body, err := p.SRVResource(); err == nil {
			return &body
		}
	case dnsmessage.TypeTXT:
		if body, err := p.TXTResource(); err == nil {
			return &body
		}
	case dnsmessage.TypeA:
		if body, err := p.AResource(); err == nil {
			return &body
		}
	case dnsmessage.TypeAAAA:
		if body, err := p.AAAAResource(); err == nil {
			return &body
		}
	}
	return nil
}

// answers returns the records as responses, of which each holds whole groups and, unless one group does not fit, at most maxMessage bytes.
func answers(groups [][]dnsmessage.Resource) [][]byte {
	var packets [][]byte
	var m dnsmessage.Message
	m.Header = dnsmessage.Header{Response: true, Authoritative: true}
	size := 0
	flush := func() {
		if data, err := m.Pack(); err == nil && len(m.Answers) > 0 { // all that is in it was checked
			packets = append(packets, data)
		}
		m.Answers, size = nil, 0
	}
	for _, group := range groups {
		n := 0
		for _, r := range group {
			n += sizeOf(r)
		}
		if size+n > maxMessage {
			flush()
		}
		m.Answers, size = append(m.Answers, group...), size+n
	}
	flush()
	return packets
}

// queries returns the questions as queries. As many of the known answers as fit go with the first.
func queries(questions []dnsmessage.Question, known []dnsmessage.Resource) [][]byte {
	var packets [][]byte
	for len(questions) > 0 {
		var m dnsmessage.Message
		size := 0
		for len(questions) > 0 && size < maxMessage-maxName {
			size += questionSize(questions[0])
			m.Questions, questions = append(m.Questions, questions[0]), questions[1:]
		}
		for len(known) > 0 && size+sizeOf(known[0]) <= maxMessage {
			size += sizeOf(known[0])
			m.Answers, known = append(m.Answers, known[0]), known[1:]
		}
		known = nil
		if data, err := m.Pack(); err == nil {
			packets = append(packets, data)
		}
	}
	return packets
}

func questionSize(q dnsmessage.Question) int { return int(q.Name.Length) + 5 }

// sizeOf returns about how many bytes a record takes, at most, where its name and what its PTR names are not written anew.
func sizeOf(r dnsmessage.Resource) int {
	const fixed = 12 // a pointer to the name, type, class, TTL and length
	switch body := r.Body.(type) {
	case *dnsmessage.PTRResource:
		return fixed + int(body.PTR.Length)
	case *dnsmessage.SRVResource:
		return fixed + 7 + int(body.Target.Length)
	case *dnsmessage.TXTResource:
		n := fixed
		for _, text := range body.TXT {
			n += 1 + len(text)
		}
		return n
	}
	return fixed + 16 + int(r.Header.Name.Length)
}
