package payload_test

import (
	"errors"
	"testing"

	"go.uber.org/goleak"

	"github.com/ashlar-go/ashlar/codec"
	"github.com/ashlar-go/ashlar/codec/json"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport/internal/payload"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type point struct {
	X int `json:"x"`
}

// MarshalJSON has a pointer receiver, so that a value that is not addressed does not have it.
func (p *point) MarshalJSON() ([]byte, error) { return []byte(`{"x":7}`), nil }

func TestValuesAndPointersAreEncodedAlike(t *testing.T) {
	t.Parallel()
	c := json.New()
	byValue, err := payload.Append(c, []byte("> "), point{1})
	byPointer, pointerErr := payload.Append(c, []byte("> "), &point{1})
	if err = errors.Join(err, pointerErr); err != nil {
		t.Fatal(err)
	}
	for _, have := range []string{string(byValue), string(byPointer)} {
		if want := `> {"x":7}`; want != have {
			t.Errorf("want %s, have %s", want, have)
		}
	}
	value, err := payload.Decode[point](c, []byte(`{"x":2}`))
	if err != nil || value.X != 2 {
		t.Errorf("want 2, have %v, %v", value, err)
	}
	pointer, err := payload.Decode[*point](c, []byte(`{"x":3}`))
	if err != nil || pointer.X != 3 {
		t.Errorf("want 3, have %v, %v", pointer, err)
	}
}

func TestNothingIsEnoughForAStructWithoutFields(t *testing.T) {
	t.Parallel()
	if _, err := payload.Decode[struct{}](json.New(), nil); err != nil {
		t.Error(err)
	}
	if _, err := payload.Decode[point](json.New(), nil); err == nil {
		t.Error("want an error for a struct with fields")
	}
}

func TestWhatAClientSendsIsItsOwnFault(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{`{"x":"many"}`: "x", `{`: ""} {
		_, err := payload.DecodeRequest[*point](json.New(), []byte(text))
		e := status.As(err)
		if e == nil || e.Code != status.InvalidArgument || len(e.Violations) != 1 || e.Violations[0].Field != want {
			t.Errorf("%s: want a violation of %q, have %v", text, want, err)
		}
		if _, ok := errors.AsType[*codec.DecodeError](err); !ok {
			t.Errorf("%s: want the cause, have %v", text, err)
		}
	}
}
