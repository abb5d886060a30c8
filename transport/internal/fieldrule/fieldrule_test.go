package fieldrule_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"testing"

	"go.uber.org/goleak"

	"github.com/ashlar-go/ashlar/transport/internal/fieldrule"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// Each character is in a name, and in a value, and is refused where net/http refuses it.
func TestWhatIsRefusedIsWhatHTTPRefuses(t *testing.T) {
	t.Parallel()
	for c := range 256 {
		text := "x" + string([]byte{byte(c)})
		if want, have := sendable(t, text, "v"), fieldrule.Check(text, []string{"v"}) == nil; want != have {
			t.Errorf("the name %q: want %v, have %v", text, want, have)
		}
		if want, have := sendable(t, "X", text), fieldrule.Check("X", []string{"v", text}) == nil; want != have {
			t.Errorf("the value %q: want %v, have %v", text, want, have)
		}
	}
	if fieldrule.Check("", nil) == nil {
		t.Error("no name: want an error")
	}
}

// sendable says whether net/http would send the field.
func sendable(t *testing.T, name, value string) bool {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://h", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	r.Header[name] = []string{value}
	dialled := errors.New("it is sent")
	network := http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return nil, dialled }}
	response, err := network.RoundTrip(r)
	if response != nil {
		_ = response.Body.Close()
	}
	return errors.Is(err, dialled)
}

func TestControlCharactersBecomeSpaces(t *testing.T) {
	t.Parallel()
	fine := []string{"a\tb", "c"}
	if have := fieldrule.Clean(fine); &have[0] != &fine[0] {
		t.Errorf("want the same for %q, have a copy", fine)
	}
	bad := []string{"fine", "a\r\nb\x00c\x7fd\te"}
	if have := fieldrule.Clean(bad); len(have) != 2 || have[0] != "fine" || have[1] != "a  b c d\te" || bad[1] != "a\r\nb\x00c\x7fd\te" {
		t.Errorf("have %q of %q", have, bad)
	}
	if have := fieldrule.Clean(nil); have != nil {
		t.Errorf("want nothing of nothing, have %q", have)
	}
}
