package grpctransport_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	spb "google.golang.org/genproto/googleapis/rpc/status"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/ashlar-go/ashlar/status"
	grpctransport "github.com/ashlar-go/ashlar/transport/grpc"
)

// FuzzUnwire reads statuses of any server: an error comes of each, and going through a server of Ashlar does not change it.
func FuzzUnwire(f *testing.F) {
	for _, details := range [][]proto.Message{
		nil, {&testpb.Payload{Body: []byte("x")}}, {&errdetails.ErrorInfo{Reason: "R", Domain: "x"}, &errdetails.RetryInfo{}},
		{&errdetails.ErrorInfo{Reason: "R", Domain: grpctransport.ErrorDomain, Metadata: map[string]string{"details": "1"}}, &errdetails.BadRequest{}},
	} {
		p := &spb.Status{Code: 5, Message: "m"}
		for _, m := range details {
			a, err := anypb.New(m)
			if err != nil {
				f.Fatal(err)
			}
			p.Details = append(p.Details, a)
		}
		data, err := proto.Marshal(p)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		p := new(spb.Status)
		if proto.Unmarshal(data, p) != nil {
			t.Skip()
		}
		e := grpctransport.Unwire(p)
		if !e.Code.Valid() || e.Code == status.OK {
			t.Errorf("have the code %d", e.Code)
		}
		if text, err := json.Marshal(e); err != nil || !json.Valid(text) {
			t.Errorf("no JSON: %v", err)
		}
		const all = 1 << 24
		if again := grpctransport.Unwire(grpctransport.Wire(e, all)); !reflect.DeepEqual(e, again) {
			t.Errorf("\nwant %#v\nhave %#v", e, again)
		}
	})
}

// FuzzWire sends errors of any size: what goes out keeps to its limit, and tells the code.
func FuzzWire(f *testing.F) {
	f.Add(uint8(5), "message", "REASON", "id", int64(1), "field", "description", "shop.Detail", []byte(`{"a":1}`), 3, 1024)
	f.Add(uint8(255), strings.Repeat("ü", 1000), "", "", int64(-1), "\xff", "", "google.rpc.ErrorInfo", []byte(`{}`), 100, 7000)
	f.Fuzz(func(t *testing.T, code uint8, message, reason, id string, retry int64, field, description, name string, value []byte, n, limit int) {
		e := &status.Error{Code: status.Code(code), Message: message, Reason: reason, ID: id, RetryAfter: time.Duration(retry)}
		for range min(max(n, 0), 200) {
			e.Violations = append(e.Violations, status.Violation{Field: field, Description: description})
			e.Details = append(e.Details, status.Detail{Type: name, Value: value})
		}
		e = status.From(e)
		limit = min(max(limit, 1024), 1<<16)
		p := grpctransport.Wire(e, limit)
		size := proto.Size(p)
		if _, err := proto.Marshal(p); err != nil {
			t.Fatal(err)
		}
		if have := grpctransport.Cost(p, size); have > limit {
			t.Errorf("want at most %d bytes, have %d", limit, have)
		}
		if have := grpctransport.Unwire(p); have.Code != e.Code {
			t.Errorf("want %v, have %v", e.Code, have.Code)
		}
	})
}

// FuzzCheckField finds no field that passes and that gRPC could not carry.
func FuzzCheckField(f *testing.F) {
	for _, key := range []string{"x-tenant", "trace-bin", "", "te", "a b", ":path", "grpc-timeout"} {
		f.Add(key, "value")
	}
	f.Fuzz(func(t *testing.T, key, value string) {
		if grpctransport.CheckField(key, []string{value}) != nil {
			return
		}
		if key == "" || key != strings.ToLower(key) || strings.ContainsAny(key, " :\r\n\x00") || strings.HasPrefix(key, "grpc-") {
			t.Errorf("the key %q passed", key)
		}
		if !strings.HasSuffix(key, "-bin") && strings.ContainsAny(value, "\r\n\x00\x7f") {
			t.Errorf("the value %q passed", value)
		}
	})
}
