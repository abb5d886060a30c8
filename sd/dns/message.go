package dns

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

const (
	maxUDP    = 1232    // the payload that is offered by EDNS0: no fragments on any usual network
	udpBuffer = 4 << 10 // for those who heed nothing
)

// question is what is asked.
type question struct {
	name string // ends in a dot
	kind dnsmessage.Type
}

func (q question) String() string { return strings.TrimPrefix(q.kind.String(), "Type") + " " + q.name }

// pack returns the question as a message of a new id, with room for its length before it.
func (q question) pack(edns bool) (message []byte, id uint16, err error) {
	name, err := dnsmessage.NewName(q.name)
	if err != nil {
		return nil, 0, err
	}
	var random [2]byte
	_, _ = rand.Read(random[:]) // never fails
	id = binary.BigEndian.Uint16(random[:])
	const room, usual = 2, 512
	b := dnsmessage.NewBuilder(make([]byte, room, room+usual), dnsmessage.Header{ID: id, RecursionDesired: true})
	b.EnableCompression()
	err = errors.Join(b.StartQuestions(), b.Question(dnsmessage.Question{Name: name, Type: q.kind, Class: dnsmessage.ClassINET}))
	if edns {
		var header dnsmessage.ResourceHeader
		err = errors.Join(err, header.SetEDNS0(maxUDP, dnsmessage.RCodeSuccess, false), b.StartAdditionals())
		err = errors.Join(err, b.OPTResource(header, dnsmessage.OPTResource{}))
	}
	if err != nil {
		return nil, 0, err
	}
	message, err = b.Finish()
	return message, id, err
}

// response is an answer of a server.
type response struct {
	dnsmessage.Header

	code                             dnsmessage.RCode // with the bits that EDNS0 adds
	answers, authorities, additional []dnsmessage.Resource
}

// errStray means that a message answers another question.
var errStray = errors.New("it answers something else")

// unpack reads the answer to a question. It returns errStray where the message is none.
func unpack(message []byte, id uint16, q question) (*response, error) {
	var p dnsmessage.Parser
	header, err := p.Start(message)
	if err != nil || header.ID != id || !header.Response {
		return nil, errStray
	}
	questions, err := p.AllQuestions()
	if err != nil || len(questions) > 1 {
		return nil, errStray
	}
	if len(questions) == 1 && (canonical(questions[0].Name.String()) != canonical(q.name) || questions[0].Type != q.kind) {
		return nil, errStray
	}
	if len(questions) == 0 && header.RCode == dnsmessage.RCodeSuccess { // an error may come without the question
		return nil, errStray
	}
	r := &response{Header: header, code: header.RCode}
	if header.Truncated {
		return r, nil // what it holds may be anything
	}
	if r.answers, err = p.AllAnswers(); err != nil {
		return nil, fmt.Errorf("reading the answer: %w", err)
	}
	if r.authorities, err = p.AllAuthorities(); err != nil {
		return nil, fmt.Errorf("reading the authorities: %w", err)
	}
	if r.additional, err = p.AllAdditionals(); err != nil {
		return nil, fmt.Errorf("reading the additional records: %w", err)
	}
	for _, a := range r.additional {
		if a.Header.Type == dnsmessage.TypeOPT {
			r.code = a.Header.ExtendedRCode(header.RCode)
		}
	}
	return r, nil
}

// refusal returns why the response says nothing about its name, nil where it does.
func (r *response) refusal() error {
	switch {
	case r.code == dnsmessage.RCodeNameError:
		return nil
	case r.code != dnsmessage.RCodeSuccess:
		return &codeError{code: r.code}
	case len(r.answers) > 0 || r.Authoritative || r.RecursionAvailable:
		return nil
	}
	if _, ok := r.negativeTTL(); !ok {
		return errors.New("the server knows nothing of the name, and asks nobody")
	}
	return nil
}

// codeError is an error that a server answers.
type codeError struct{ code dnsmessage.RCode }

func (e *codeError) Error() string {
	switch e.code {
	case dnsmessage.RCodeServerFailure:
		return "the server failed (SERVFAIL)"
	case dnsmessage.RCodeRefused:
		return "the server refuses the query (REFUSED)"
	case dnsmessage.RCodeFormatError:
		return "the server does not understand the query (FORMERR)"
	case dnsmessage.RCodeNotImplemented:
		return "the server does not do such queries (NOTIMP)"
	}
	return fmt.Sprintf("the server answers with code %d", e.code)
}

// negativeTTL returns for how long it holds that there is nothing, RFC 2308: the SOA record's own time to live, or its last field,
// whichever is shorter.
func (r *response) negativeTTL() (time.Duration, bool) {
	for _, a := range r.authorities {
		if soa, ok := a.Body.(*dnsmessage.SOAResource); ok {
			return min(ttl(a.Header.TTL), ttl(soa.MinTTL)), true
		}
	}
	return 0, false
}

// ttl returns a time to live. One whose first bit is set is 0, RFC 2181.
func ttl(seconds uint32) time.Duration {
	if int32(seconds) < 0 {
		return 0
	}
	return time.Duration(seconds) * time.Second
}
