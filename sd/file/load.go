package file

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/ashlar-go/ashlar/sd"
)

// read returns what is in a regular file of at most limit bytes.
func read(path string, limit int64) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() { // to open a pipe would wait for whoever writes to it
		return nil, errors.New("it is no regular file")
	}
	f, err := os.Open(path) //nolint:gosec // the file that the user names
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = fmt.Errorf("it has more than %d bytes", limit)
	}
	return data, err
}

// parse returns the instances of the service. Of the others it reads only that they are JSON.
func parse(data []byte, service string) ([]sd.Instance, error) {
	p := &parser{data: data, decoder: jsontext.NewDecoder(bytes.NewReader(data))}
	set, err := p.services(service)
	if err == nil {
		err = p.end()
	}
	return set, err
}

type parser struct {
	data    []byte
	decoder *jsontext.Decoder
}

func (p *parser) services(wanted string) (set []sd.Instance, err error) {
	if len(bytes.TrimSpace(p.data)) == 0 {
		return nil, errors.New("it is empty; want an object with a list of instances for each service")
	}
	if err := p.token('{', "an object with a list of instances for each service"); err != nil {
		return nil, err
	}
	for p.decoder.PeekKind() != '}' {
		name, err := p.decoder.ReadToken()
		if err != nil {
			return nil, p.at(err)
		}
		if name.String() == wanted {
			set, err = p.instances()
		} else {
			err = p.at(p.decoder.SkipValue())
		}
		if err != nil {
			return nil, err
		}
	}
	_, err = p.decoder.ReadToken()
	return set, p.at(err)
}

func (p *parser) instances() (set []sd.Instance, err error) {
	if p.decoder.PeekKind() == 'n' { // an empty list, as Go writes one that is nil
		return nil, p.at(p.decoder.SkipValue())
	}
	if err := p.token('[', "a list of instances"); err != nil {
		return nil, err
	}
	for p.decoder.PeekKind() != ']' {
		start := p.start()
		var i sd.Instance
		if kind := p.decoder.PeekKind(); kind != '{' && kind != 0 {
			return nil, p.errorAt(start, fmt.Errorf("it is %s, want an instance, which is an object", describe(kind)))
		}
		if err := json.UnmarshalDecode(p.decoder, &i, json.RejectUnknownMembers(true)); err != nil {
			return nil, p.at(err)
		}
		if err := i.Check(); err != nil {
			return nil, p.errorAt(start, fmt.Errorf("the instance is not valid: %w", err))
		}
		set = append(set, i)
	}
	_, err = p.decoder.ReadToken()
	return set, p.at(err)
}

// token reads the beginning of an object or a list.
func (p *parser) token(want jsontext.Kind, what string) error {
	start := p.start()
	kind := p.decoder.PeekKind()
	if kind != want && kind != 0 {
		return p.errorAt(start, fmt.Errorf("it is %s, want %s", describe(kind), what))
	}
	_, err := p.decoder.ReadToken()
	return p.at(err)
}

// end returns an error if something follows.
func (p *parser) end() error {
	start := p.start()
	if _, err := p.decoder.ReadToken(); errors.Is(err, io.EOF) {
		return nil
	}
	return p.errorAt(start, errors.New("something follows the end"))
}

// start returns where the next value begins.
func (p *parser) start() int64 {
	at := p.decoder.InputOffset()
	for at < int64(len(p.data)) && strings.IndexByte(" \t\r\n,:", p.data[at]) >= 0 {
		at++
	}
	return at
}

// at returns the error of the decoder with its line and column, and in the words of whoever writes the file.
func (p *parser) at(err error) error {
	syntactic, semantic := new(jsontext.SyntacticError), new(json.SemanticError)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return p.errorAt(int64(len(p.data)), errors.New("it ends too soon"))
	case errors.As(err, &semantic):
		return p.errorAt(semantic.ByteOffset, p.semantic(semantic))
	case errors.As(err, &syntactic):
		if errors.Is(err, jsontext.ErrDuplicateName) {
			err = fmt.Errorf("the name %q comes twice", syntactic.JSONPointer.LastToken())
		} else {
			err = syntactic.Err
		}
		return p.errorAt(syntactic.ByteOffset, err)
	}
	return err
}

func (p *parser) semantic(e *json.SemanticError) error {
	name := e.JSONPointer.LastToken()
	if errors.Is(e.Err, json.ErrUnknownName) {
		return fmt.Errorf("the field %q is not known", name)
	}
	what := "something else"
	if e.GoType != nil {
		switch e.GoType.Kind() {
		case reflect.String:
			what = "a string"
		case reflect.Int:
			what = "a whole number"
		case reflect.Slice:
			what = "a list of strings"
		case reflect.Map:
			what = "an object"
		}
	}
	return fmt.Errorf("the field %q is %s, want %s", name, describe(e.JSONKind), what)
}

// errorAt adds line and column, which both begin with 1; columns count bytes.
func (p *parser) errorAt(offset int64, err error) error {
	before := p.data[:min(max(offset, 0), int64(len(p.data)))]
	line := 1 + bytes.Count(before, []byte("\n"))
	column := len(before) - bytes.LastIndexByte(before, '\n')
	return fmt.Errorf("line %d, column %d: %w", line, column, err)
}

func describe(kind jsontext.Kind) string {
	switch kind {
	case '{':
		return "an object"
	case '[':
		return "a list"
	case '"':
		return "a string"
	case '0':
		return "a number"
	case 'n':
		return "null"
	}
	return "true or false"
}
