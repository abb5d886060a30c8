package jsonrpc

import (
	"errors"
	"fmt"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/ashlar-go/ashlar/internal/docpath"
	"github.com/ashlar-go/ashlar/status"
)

// call is one call as it came, a part of a document.
type call struct {
	method string
	params []byte // nil without any
	id     []byte // nil for a notification
	size   int
	fault  *status.Error // why it is none; nil for a good one
}

// refusal is the answer to a document of which no call is served.
type refusal struct {
	code    int64
	message string // as the specification words it
	status  *status.Error
}

func (r *refusal) failure() failure {
	return failure{code: r.code, message: r.message, status: r.status}
}

func parseError(text string) *refusal {
	return &refusal{CodeParseError, "Parse error", status.New(status.InvalidArgument, text).WithReason("PARSE_ERROR")}
}

func invalidRequest(e *status.Error) *refusal {
	return &refusal{CodeInvalidRequest, "Invalid Request", e}
}

// parseCalls reads the calls of a document: one, or a batch of them. It refuses a document that is no JSON, and a batch of none or of more
// than most.
func parseCalls(data []byte, first []call, most int) (calls []call, batch bool, refused *refusal) {
	p := newParser(data)
	defer p.free()
	calls, batch, err := p.calls(first, most)
	if e, ok := errors.AsType[*status.Error](err); ok {
		return nil, batch, invalidRequest(e)
	}
	if err != nil {
		return nil, batch, parseError(problem(data, err))
	}
	return calls, batch, nil
}

func (p *parser) calls(calls []call, most int) (_ []call, batch bool, err error) {
	if p.kind() != '[' {
		c, err := p.call("")
		if err == nil {
			err = p.end()
		}
		return append(calls, c), false, err
	}
	if err := p.token(); err != nil {
		return nil, true, err
	}
	for p.kind() != ']' {
		if len(calls) == most {
			return nil, true, status.Errorf(status.InvalidArgument, "the batch has more than %d calls", most).WithReason("BATCH_TOO_LONG")
		}
		c, err := p.call(docpath.Index(len(calls), ""))
		if err != nil {
			return nil, true, err
		}
		calls = append(calls, c)
	}
	if err := p.token(); err != nil {
		return nil, true, err
	}
	if err := p.end(); err != nil {
		return nil, true, err
	}
	if len(calls) == 0 {
		return nil, true, status.New(status.InvalidArgument, "the batch is empty").WithReason("INVALID_REQUEST")
	}
	return calls, true, nil
}

// call reads one call. What is JSON and no call is so by its fault; at says where it stands in the batch.
func (p *parser) call(at string) (c call, err error) {
	if k := p.kind(); k != '{' {
		_, err := p.value()
		c.wrong(at, "want an object, have "+name(k))
		return c, err
	}
	if err := p.token(); err != nil {
		return c, err
	}
	begin := p.offset() - 1
	var version, method []byte
	for p.kind() != '}' {
		member, err := p.value()
		if err != nil {
			return c, err
		}
		value, err := p.value()
		if err != nil {
			return c, err
		}
		switch string(text(member)) {
		case "jsonrpc":
			version = value
		case "method":
			method = value
		case "params":
			c.params = value
		case "id":
			c.id = value
		}
	}
	if err := p.token(); err != nil {
		return c, err
	}
	c.size = p.offset() - begin
	c.check(at, version, method)
	return c, nil
}

// check sets the method, or what is wrong first.
func (c *call) check(at string, version, method []byte) {
	switch k := kindOf(version); {
	case version == nil:
		c.wrong(docpath.Join(at, "jsonrpc"), `is missing; want "2.0"`)
		return
	case k != '"' || string(text(version)) != "2.0":
		c.wrong(docpath.Join(at, "jsonrpc"), `want "2.0"`)
		return
	}
	switch k := kindOf(method); {
	case method == nil:
		c.wrong(docpath.Join(at, "method"), "is missing")
	case k != '"':
		c.wrong(docpath.Join(at, "method"), "want a string, have "+name(k))
	case c.params != nil && kindOf(c.params) != '{' && kindOf(c.params) != '[':
		c.wrong(docpath.Join(at, "params"), "want an object or an array, have "+name(kindOf(c.params)))
	case c.id != nil && !isID(kindOf(c.id)):
		c.wrong(docpath.Join(at, "id"), "want a string, a number or null, have "+name(kindOf(c.id)))
	default:
		c.method = string(text(method))
	}
}

func isID(k jsontext.Kind) bool { return k == '"' || k == '0' || k == 'n' }

func (c *call) wrong(field, description string) {
	e, _ := errors.AsType[*status.Error](status.Invalid(status.Violation{Field: field, Description: description}))
	c.fault = e.WithReason("INVALID_REQUEST")
}

// notFound is the answer to a call of a method that the server does not have.
func notFound(method string) failure {
	const shown = 64
	return failure{CodeMethodNotFound, "Method not found", status.New(status.Unimplemented,
		fmt.Sprintf("there is no method %q", docpath.Cut(method, shown))).WithReason("METHOD_NOT_FOUND"), nil}
}
