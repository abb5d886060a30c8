package httptransport_test

import (
	"context"
	"encoding/binary"
	"iter"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/structpb"

	"github.com/ashlar-go/ashlar/codec"
	"github.com/ashlar-go/ashlar/codec/cbor"
	"github.com/ashlar-go/ashlar/codec/json"
	"github.com/ashlar-go/ashlar/codec/msgpack"
	"github.com/ashlar-go/ashlar/codec/proto"
	"github.com/ashlar-go/ashlar/codec/xml"
	"github.com/ashlar-go/ashlar/endpoint"
	httptransport "github.com/ashlar-go/ashlar/transport/http"
)

// nest is a document that can be as deep as it likes, in members that are known and in others.
type nest struct {
	Inner *nest   `json:"inner" xml:"inner" cbor:"inner" msgpack:"inner"`
	List  []*nest `json:"list"  xml:"list"  cbor:"list"  msgpack:"list"`
}

// Documents that nest without end, as large as a body may be, in each encoding that nests.
//
//nolint:paralleltest // it measures the memory of the process
func TestDeepDocumentsAreRefused(t *testing.T) {
	const room = mib - 100
	repeat := func(begin, text, end string) string {
		n := (room - len(begin)) / (len(text) + len(end))
		return begin + strings.Repeat(text, n) + strings.Repeat(end, n)
	}
	open := func(text string) string { return strings.Repeat(text, room/len(text)) }
	for _, tt := range []struct {
		codec codec.Codec
		docs  map[string]string
	}{
		{json.New(), map[string]string{
			"arrays": repeat("", "[", "]"), "arrays, cut": open("["), "objects, cut": open(`{"inner":`), "members": repeat("", `{"inner":`, "}"),
			"lists": repeat("", `{"list":[`, "]}"), "unknown members": repeat(`{"other":`, "[", "]") + "}", "unknown objects": repeat("", `{"other":`, "}"),
		}},
		{xml.New(), map[string]string{
			"members": repeat("", "<inner>", "</inner>"), "members, cut": open("<inner>"), "unknown": repeat("", "<a>", "</a>"), "in the known": "<nest>" + open("<a>"),
		}},
		{msgpack.New(), map[string]string{"arrays": open("\x91"), "members": open("\x81\xa5inner"), "unknown members": "\x81\xa5other" + open("\x91"),
			"maps as keys": open("\x81")}},
		{cbor.New(), map[string]string{
			"arrays": open("\x81"), "members": open("\xa1\x65inner"), "unknown members": "\xa1\x65other" + open("\x81"), "tags": open("\xc1"),
			"endless arrays": open("\x9f"), "endless maps": open("\xbf"),
		}},
	} {
		h := handler("POST /x", func(context.Context, *nest) (struct{}, error) { return struct{}{}, nil }, httptransport.ServerCodecs(tt.codec))
		for name, doc := range tt.docs {
			refused(t, h, tt.codec.ContentTypes()[0]+", "+name, tt.codec.ContentTypes()[0], doc)
		}
	}
	messages := handler("POST /x", func(context.Context, *structpb.Value) (struct{}, error) { return struct{}{}, nil },
		httptransport.ServerCodecs(proto.New(), proto.JSON()))
	refused(t, messages, "protobuf as JSON", "application/json", repeat("", "[", "]"))
	var nested []byte // in a Value is a list, in which there is a Value
	for len(nested) < room/20 {
		nested = within(6, within(1, nested))
	}
	refused(t, messages, "protobuf", "application/protobuf", string(nested))

	sums := endpoint.FromClientStream(func(_ context.Context, requests iter.Seq2[nest, error]) (total, error) {
		for _, err := range requests {
			if err != nil {
				return total{}, err
			}
		}
		return total{}, nil
	})
	refused(t, mount("POST /x", httptransport.NewStreamServer(sumSpec, sums)), "NDJSON", "application/x-ndjson", repeat("", `{"inner":`, "}")+"\n")
}

// within returns the field of a protobuf message that holds data.
func within(number byte, data []byte) []byte {
	const bytesField = 2
	return append(binary.AppendUvarint([]byte{number<<3 | bytesField}, uint64(len(data))), data...)
}

// refused checks that h answers the document with 400 or 413, soon and with little memory.
func refused(t *testing.T, h http.Handler, name, contentType, doc string) {
	t.Helper()
	var w *httptest.ResponseRecorder
	begin := time.Now()
	used := allocated(func() { w = ask(h, "POST", "/x", doc, "Content-Type: "+contentType) })
	const most, limit = 16 * mib, 5 * time.Second
	if w.Code != http.StatusBadRequest && w.Code != http.StatusRequestEntityTooLarge || used > most || time.Since(begin) > limit || w.Body.Len() > 2000 {
		t.Errorf("%s: want 400 soon, have %d after %v and %d bytes: %.300s", name, w.Code, time.Since(begin), used, w.Body)
	}
	t.Logf("%s: %d KiB, %d after %v and %d KiB", name, len(doc)>>10, w.Code, time.Since(begin), used>>10)
}
