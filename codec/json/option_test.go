package json_test

import (
	"errors"
	"strings"
	"testing"

	v2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/ashlar-go/ashlar/codec"
	"github.com/ashlar-go/ashlar/codec/json"
)

func TestOptions(t *testing.T) {
	t.Parallel()
	value := map[string]any{"b": []string(nil), "a": "<"}
	for name, c := range map[string]struct {
		opts []json.Option
		want string
	}{
		"none":      {nil, `{"a":"<","b":[]}`},
		"HTML":      {[]json.Option{json.Options(jsontext.EscapeForHTML(true))}, `{"a":"\u003c","b":[]}`},
		"they add":  {[]json.Option{json.Options(jsontext.EscapeForHTML(true)), json.Options(v2.FormatNilSliceAsNull(true))}, `{"a":"\u003c","b":null}`},
		"last wins": {[]json.Option{json.Options(jsontext.EscapeForHTML(true)), json.Options(jsontext.EscapeForHTML(false))}, `{"a":"<","b":[]}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			have, err := json.New(c.opts...).Append(nil, value)
			if err != nil {
				t.Fatal(err)
			}
			if want := c.want; string(have) != want {
				t.Errorf("want %s, have %s", want, have)
			}
		})
	}
}

func TestNewPanicsForAnOptionThatMakesNoSense(t *testing.T) {
	t.Parallel()
	for want, o := range map[string]json.Option{
		"MaxDepth(0)":     json.MaxDepth(0),
		"MaxDepth(-1)":    json.MaxDepth(-1),
		"MaxDepth(10001)": json.MaxDepth(10_001),
		"MaxElements(0)":  json.MaxElements(0),
		"Options":         json.Options(nil),
		"Messages":        json.Messages(nil, nil),
		"is nil":          nil,
	} {
		func() {
			defer func() {
				if have, _ := recover().(string); !strings.Contains(have, want) {
					t.Errorf("want a panic about %s, have %q", want, have)
				}
			}()
			json.New(o)
		}()
	}
}

func TestUnknownMembersArePassedOverUnlessRejected(t *testing.T) {
	t.Parallel()
	data := []byte(`{"id":"1","items":[{"name":"a"},{"colour":"red"}]}`)
	var v struct {
		ID    string `json:"id"`
		Items []struct {
			Name string `json:"name"`
		} `json:"items"`
	}
	if err := json.New().Decode(data, &v); err != nil || v.ID != "1" || len(v.Items) != 2 {
		t.Errorf("passed over: have %+v, %v", v, err)
	}
	err := json.New(json.RejectUnknown()).Decode(data, &v)
	de, ok := errors.AsType[*codec.DecodeError](err)
	if want := "items[1].colour: unknown member"; !ok || de.Error() != want {
		t.Errorf("rejected: want %q, have %v", want, err)
	}
}
