package jsonrpc

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/ashlar-go/ashlar/internal/docpath"
)

// parser reads one document, once. Its syntax is RFC 8259's to the letter: a name that appears twice in an object, text that is not
// UTF-8, more than 10,000 levels and anything behind the document are errors.
type parser struct {
	data []byte
	buf  bytes.Buffer
	dec  jsontext.Decoder
}

var parsers = sync.Pool{New: func() any { return new(parser) }}

// newParser returns a parser of data. What it returns are parts of data.
func newParser(data []byte) *parser {
	p, _ := parsers.Get().(*parser)
	p.reset(data)
	return p
}

// free gives p back.
func (p *parser) free() {
	p.reset(nil)
	parsers.Put(p)
}

func (p *parser) reset(data []byte) {
	p.data, p.buf = data, *bytes.NewBuffer(data)
	p.dec.Reset(&p.buf)
}

// kind returns the kind of the next token, 0 where there is none.
func (p *parser) kind() jsontext.Kind { return p.dec.PeekKind() }

// offset returns the place behind what has been read.
func (p *parser) offset() int { return int(p.dec.InputOffset()) }

// token reads the beginning or the end of an object or an array.
func (p *parser) token() error {
	_, err := p.dec.ReadToken()
	return err
}

// value reads the next value, or the name of a member, as it is written.
func (p *parser) value() ([]byte, error) {
	v, err := p.dec.ReadValue()
	if err != nil {
		return nil, err
	}
	end := p.offset() // the decoder's own slice is not to be kept
	return p.data[end-len(v) : end : end], nil
}

// end fails unless the document has ended.
func (p *parser) end() error {
	at := p.offset()
	switch _, err := p.dec.ReadToken(); {
	case errors.Is(err, io.EOF):
		return nil
	case err != nil:
		return err
	}
	return fmt.Errorf("there is more behind the document, which ends at byte %d", at)
}

// text returns what a string that has been read says.
func text(quoted []byte) []byte {
	if bytes.IndexByte(quoted, '\\') < 0 {
		return quoted[1 : len(quoted)-1]
	}
	unquoted, _ := jsontext.AppendUnquote(nil, quoted) // it was valid
	return unquoted
}

// kindOf returns the kind of a value that has been read, 0 for none.
func kindOf(value []byte) jsontext.Kind { return jsontext.Value(value).Kind() }

// problem says what is wrong with the syntax, and where.
func problem(data []byte, err error) string {
	syn, ok := errors.AsType[*jsontext.SyntacticError](err)
	switch {
	case len(bytes.TrimLeft(data, " \t\r\n")) == 0:
		return "the document is empty"
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return "the document ends too early"
	case !ok:
		return err.Error()
	case errors.Is(syn.Err, jsontext.ErrDuplicateName):
		return fmt.Sprintf("the member %s appears twice in an object, at byte %d",
			docpath.Member(syn.JSONPointer.LastToken(), ""), syn.ByteOffset)
	case syn.Err == nil:
		return fmt.Sprintf("invalid JSON at byte %d", syn.ByteOffset)
	}
	return fmt.Sprintf("invalid JSON at byte %d: %v", syn.ByteOffset, syn.Err)
}

// name says what a kind of value is called.
func name(k jsontext.Kind) string {
	switch k {
	case 'n':
		return "null"
	case 't', 'f':
		return "true or false"
	case '"':
		return "a string"
	case '0':
		return "a number"
	case '[':
		return "an array"
	case '{':
		return "an object"
	}
	return "nothing"
}
