package jsonrpc

import (
	"bytes"
	"fmt"

	"github.com/ashlar-go/ashlar/codec"
)

// The content types that are read. Answers and calls are written as the first, unless Accept asks for another.
const (
	ContentType        = "application/json"        // what nearly everybody sends
	ContentTypeRPC     = "application/json-rpc"    // of the drafts of JSON-RPC over HTTP
	ContentTypeRequest = "application/jsonrequest" // likewise
)

var contentTypes = []string{ContentType, ContentTypeRPC, ContentTypeRequest}

// wire is the codec that transport/http carries documents with: it leaves their JSON to those who know what is in it.
type wire struct{}

var _ codec.Codec = wire{}

// document is what arrives.
type document struct{ data []byte }

// appender is what is sent.
type appender interface {
	append(dst []byte) ([]byte, error)
}

func (wire) ContentTypes() []string { return contentTypes }

func (wire) Append(dst []byte, v any) ([]byte, error) {
	a, ok := v.(appender)
	if !ok {
		return dst, fmt.Errorf("jsonrpc: %T is no document", v)
	}
	return a.append(dst)
}

func (wire) Decode(data []byte, v any) error {
	d, ok := v.(*document)
	if !ok {
		return fmt.Errorf("jsonrpc: %T is no document", v)
	}
	d.data = bytes.Clone(data)
	return nil
}
