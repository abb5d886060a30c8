package transporttest_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/ashlar-go/ashlar/codec"
	"github.com/ashlar-go/ashlar/codec/json"
	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/transport/transporttest"
)

func TestAnIncompleteHarnessIsRefused(t *testing.T) {
	t.Parallel()
	difference := func(d transporttest.Difference) func(h *transporttest.Harness) {
		return func(h *transporttest.Harness) { h.Differences = []transporttest.Difference{d} }
	}
	for want, change := range map[string]func(h *transporttest.Harness){
		"the harness has no name": func(h *transporttest.Harness) { h.Name = "" },
		"inproc with ClientCopy: the harness does not say what the transport calls itself": func(h *transporttest.Harness) { h.Transport = "" },
		"inproc with ClientCopy: the harness cannot open anything":                         func(h *transporttest.Harness) { h.Open = nil },
		"Patience, Streams, Messages and Window must not be negative":                      func(h *transporttest.Harness) { h.Streams = -1 },
		`the difference "Colour": there is no such check`:                                  difference(transporttest.Difference{Check: "Colour"}),
		`the difference "Peer": it must say what is seen instead, and why`:                 difference(transporttest.Difference{Check: "Peer", Have: "none"}),
		`the difference "AtOnce unary": the check does not run for unary`: difference(transporttest.Difference{
			Check: "AtOnce", Kinds: []endpoint.Kind{endpoint.Unary}, Have: "later", Reason: "it is far",
		}),
	} {
		h := copyHarness()
		change(&h)
		if err := transporttest.Test(h); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, have %v", want, err)
		}
	}
}

func TestAViolationSaysWhatTheContractIs(t *testing.T) {
	t.Parallel()
	h := breakage{}.broken()
	open := h.Open
	failed := errors.New("no room")
	h.Open = func(operations ...transporttest.Operation) (transporttest.Link, error) {
		link, err := open(operations...)
		if operations[0].Spec.Kind == endpoint.ClientStream {
			err = failed
		}
		return link, err
	}
	i := 0
	for _, v := range tested(t, h) {
		if i++; v.Kind != endpoint.ClientStream && v.Check != "WrongShape" {
			t.Errorf("want none of other shapes, have %v", v)
		}
		if want := "client stream: opening a link: no room"; v.Check == "Codes" && !strings.Contains(v.Error(), want) {
			t.Errorf("want %q, have %v", want, v)
		}
		if want := "\n\tthe contract: " + v.Clause; v.Clause == "" || !strings.HasSuffix(v.Error(), want) || !errors.Is(v, v.Err) {
			t.Errorf("want the clause %q, have %v", v.Clause, v)
		}
	}
	if i < 40 {
		t.Errorf("want a violation of each check, have %d", i)
	}
}

// leaving is a link that leaves something behind.
type leaving struct{ transporttest.Link }

func (l leaving) Close() error {
	return errors.Join(l.Link.Close(), errors.New("a subscription is left"))
}

func TestWhatALinkLeavesBehindIsAViolation(t *testing.T) {
	t.Parallel()
	h := breakage{}.broken()
	open := h.Open
	h.Open = func(operations ...transporttest.Operation) (transporttest.Link, error) {
		link, err := open(operations...)
		return leaving{link}, err
	}
	all := tested(t, h)
	for _, clause := range transporttest.Contract() {
		if !slices.ContainsFunc(all, func(v *transporttest.Violation) bool {
			return v.Check == clause.Check && strings.Contains(v.Error(), "closing the link: a subscription is left")
		}) {
			t.Errorf("%s does not tell", clause.Check)
		}
	}
}

func TestTheContractHasAClauseForEachCheck(t *testing.T) {
	t.Parallel()
	names := map[string]bool{}
	for _, clause := range transporttest.Contract() {
		if clause.Check == "" || clause.Text == "" || len(clause.Kinds) == 0 {
			t.Errorf("incomplete: %+v", clause)
		}
		if names[clause.Check] {
			t.Errorf("%s is there twice", clause.Check)
		}
		names[clause.Check] = true
	}
}

func TestTheCodecGarblesWhatItIsAskedTo(t *testing.T) {
	t.Parallel()
	c := transporttest.Codec(json.New())
	for _, m := range []any{message{Text: transporttest.Garbled}, &message{Text: transporttest.Garbled}} {
		data, err := c.Append([]byte("x"), m)
		if err != nil || data[0] != 'x' {
			t.Fatalf("have %q, %v", data, err)
		}
		if e, ok := errors.AsType[*codec.DecodeError](c.Decode(data[1:], new(message))); !ok || e.Path != "number" {
			t.Errorf("want a *codec.DecodeError at the number, have %v of %s", e, data)
		}
	}
	for _, m := range []any{message{Text: transporttest.Unencodable}, &message{Text: transporttest.Unencodable}} {
		if data, err := c.Append([]byte("x"), m); err == nil || string(data) != "x" {
			t.Errorf("want an error and nothing appended, have %q, %v", data, err)
		}
	}
	if data, err := c.Append(nil, &message{Text: "fine", Number: 1}); err != nil || string(data) != `{"text":"fine","number":1,"data":""}` {
		t.Errorf("have %s, %v", data, err)
	}
	if data, err := c.Append(nil, (*message)(nil)); err != nil || string(data) != "null" {
		t.Errorf("have %s, %v", data, err)
	}
}
