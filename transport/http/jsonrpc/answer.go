package jsonrpc

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/ashlar-go/ashlar/status"
)

// answer is one answer as it came, a part of a document.
type answer struct {
	id      []byte
	result  []byte // nil where it is an error
	code    int64
	message string
	data    []byte // nil without any
}

// status returns the error that the answer is, nil for a result.
func (a *answer) status() *status.Error {
	if a.result != nil {
		return nil
	}
	return errorOf(a.code, a.message, a.data)
}

// parseAnswers reads the answers in a document: one, or a list of them.
func parseAnswers(data []byte) (answers []answer, batch bool, err error) {
	p := newParser(data)
	defer p.free()
	answers, batch, err = p.answers()
	if err == nil {
		err = p.end()
	}
	if wrong, ok := errors.AsType[*answerError](err); ok {
		return nil, batch, wrong
	}
	if err != nil {
		return nil, batch, errors.New(problem(data, err))
	}
	return answers, batch, nil
}

func (p *parser) answers() (answers []answer, batch bool, err error) {
	if p.kind() != '[' {
		a, err := p.answer()
		return []answer{a}, false, err
	}
	if err := p.token(); err != nil {
		return nil, true, err
	}
	for p.kind() != ']' {
		a, err := p.answer()
		if err != nil {
			return nil, true, err
		}
		answers = append(answers, a)
	}
	return answers, true, p.token()
}

// answerError says what makes JSON no answer.
type answerError struct{ text string }

func (e *answerError) Error() string { return e.text }

func bad(format string, args ...any) error { return &answerError{fmt.Sprintf(format, args...)} }

// members calls see with each member of the object that is next.
func (p *parser) members(what string, see func(name, value []byte)) error {
	if k := p.kind(); k != '{' {
		if _, err := p.value(); err != nil {
			return err
		}
		return bad("%s is %s, want an object", what, name(k))
	}
	if err := p.token(); err != nil {
		return err
	}
	for p.kind() != '}' {
		member, err := p.value()
		if err != nil {
			return err
		}
		value, err := p.value()
		if err != nil {
			return err
		}
		see(text(member), value)
	}
	return p.token()
}

func (p *parser) answer() (a answer, err error) {
	var version, fault []byte
	err = p.members("the answer", func(name, value []byte) {
		switch string(name) {
		case "jsonrpc":
			version = value
		case "result":
			a.result = value
		case "error":
			fault = value
		case "id":
			a.id = value
		}
	})
	if err != nil {
		return a, err
	}
	// Servers that have grown out of version 1 send the other of the two as null.
	if kindOf(fault) == 'n' && a.result != nil {
		fault = nil
	}
	if kindOf(a.result) == 'n' && fault != nil {
		a.result = nil
	}
	switch {
	case kindOf(version) != '"' || string(text(version)) != "2.0":
		return a, bad(`the answer is not of JSON-RPC "2.0"`)
	case a.id == nil:
		return a, bad("the answer has no id")
	case !isID(kindOf(a.id)):
		return a, bad("the id of the answer is %s, want a string, a number or null", name(kindOf(a.id)))
	case a.result == nil && fault == nil:
		return a, bad("the answer has neither a result nor an error")
	case a.result != nil && fault != nil:
		return a, bad("the answer has a result and an error")
	case fault != nil:
		return a, a.readError(fault)
	}
	return a, nil
}

// readError reads the error object, which has been read before as a value.
func (a *answer) readError(object []byte) error {
	p := newParser(object)
	defer p.free()
	var code, message []byte
	err := p.members("the error in the answer", func(name, value []byte) {
		switch string(name) {
		case "code":
			code = value
		case "message":
			message = value
		case "data":
			a.data = value
		}
	})
	if err != nil {
		return err
	}
	if a.code, err = strconv.ParseInt(string(code), 10, 64); err != nil {
		return bad("the error in the answer has no integer as its code")
	}
	if message != nil && kindOf(message) != '"' {
		return bad("the message of the error in the answer is %s, want a string", name(kindOf(message)))
	}
	if message != nil {
		a.message = string(text(message))
	}
	return nil
}
