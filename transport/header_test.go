package transport_test

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"sync"
	"testing"

	"github.com/ashlar-go/ashlar/transport"
)

func TestHeaderMap(t *testing.T) {
	t.Parallel()
	h := transport.HeaderMap{}
	h.Set("x-tenant", "a", "b")
	h.Set("X-One", "1")
	for _, key := range []string{"X-Tenant", "x-tenant", "X-TENANT"} {
		if want, have := "a", h.Get(key); want != have {
			t.Errorf("%s: want %q, have %q", key, want, have)
		}
		if want, have := []string{"a", "b"}, h.Values(key); !slices.Equal(want, have) {
			t.Errorf("%s: want %v, have %v", key, want, have)
		}
	}
	if have := h.Get("absent"); have != "" || h.Values("absent") != nil {
		t.Errorf("absent: have %q, %v", have, h.Values("absent"))
	}
	if want, have := (map[string][]string{"X-Tenant": {"a", "b"}, "X-One": {"1"}}), maps.Collect(h.All()); fmt.Sprint(want) != fmt.Sprint(have) {
		t.Errorf("All: want %v, have %v", want, have)
	}
	count := 0
	for range h.All() {
		count++
		break
	}
	if count != 1 {
		t.Errorf("All after break: want 1, have %d", count)
	}
	h.Set("X-TENANT", "c")
	if want, have := []string{"c"}, h.Values("X-Tenant"); !slices.Equal(want, have) {
		t.Errorf("replaced: want %v, have %v", want, have)
	}
	h.Set("x-tenant")
	if _, ok := h["X-Tenant"]; ok || len(h) != 1 {
		t.Errorf("removed: have %v", h)
	}
	var none transport.HeaderMap
	if have := none.Get("a"); have != "" || none.Values("a") != nil {
		t.Errorf("the nil map: have %q", have)
	}
	none.Set("a") // removing from nothing
}

func TestHTTPHeaderConvertsWithoutACopy(t *testing.T) {
	t.Parallel()
	h := http.Header{}
	var header transport.Header = transport.HeaderMap(h)
	header.Set("x-a", "1")
	if want, have := "1", h.Get("X-A"); want != have {
		t.Errorf("want %q, have %q", want, have)
	}
}

func outgoing(ctx context.Context) transport.HeaderMap {
	h := transport.HeaderMap{"X-Before": {"0"}}
	transport.SetOutgoing(ctx, h)
	return h
}

func TestOutgoingHeaders(t *testing.T) {
	t.Parallel()
	type key struct{}
	base := context.WithValue(t.Context(), key{}, 1)
	for _, row := range []struct {
		name string
		ctx  context.Context
		want string
	}{
		{"none", base, "map[X-Before:[0]]"},
		{"one", transport.WithHeader(base, "x-a", "1"), "map[X-A:[1] X-Before:[0]]"},
		{"several values", transport.WithHeader(base, "x-a", "1", "2"), "map[X-A:[1 2] X-Before:[0]]"},
		{"several keys", transport.WithHeader(transport.WithHeader(base, "x-a", "1"), "X-B", "2"), "map[X-A:[1] X-B:[2] X-Before:[0]]"},
		{"the last replaces", transport.WithHeader(transport.WithHeader(base, "x-a", "1", "2"), "X-A", "3"), "map[X-A:[3] X-Before:[0]]"},
		{"removed", transport.WithHeader(transport.WithHeader(base, "x-a", "1"), "X-A"), "map[X-Before:[0]]"},
		{"removed from the call itself", transport.WithHeader(base, "X-Before"), "map[]"},
		{"removed and set", transport.WithHeader(transport.WithHeader(base, "X-Before"), "X-Before", "9"), "map[X-Before:[9]]"},
		{"an empty value", transport.WithHeader(base, "x-a", ""), "map[X-A:[] X-Before:[0]]"},
		{"below other contexts", context.WithValue(transport.WithHeader(base, "x-a", "1"), key{}, 2), "map[X-A:[1] X-Before:[0]]"},
	} {
		if have := fmt.Sprint(outgoing(row.ctx)); row.want != have {
			t.Errorf("%s: want %s, have %s", row.name, row.want, have)
		}
		if row.ctx.Value(key{}) == nil {
			t.Errorf("%s: the values of the context are lost", row.name)
		}
	}
}

func TestSiblingsDoNotDisturbEachOther(t *testing.T) {
	t.Parallel()
	base := transport.WithHeader(t.Context(), "X-Base", "0")
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			ctx := transport.WithHeader(base, "X-A", fmt.Sprint(i))
			h := outgoing(ctx)
			h["X-Base"] = append(h["X-Base"], "mine") // as http.Header.Add does
			if want, have := fmt.Sprintf("map[X-A:[%d] X-Base:[0 mine] X-Before:[0]]", i), fmt.Sprint(h); want != have {
				t.Errorf("want %s, have %s", want, have)
			}
		})
	}
	wg.Wait()
	if want, have := "map[X-Base:[0] X-Before:[0]]", fmt.Sprint(outgoing(base)); want != have {
		t.Errorf("the base: want %s, have %s", want, have)
	}
}

func TestWithHeaderKeepsNothingOfItsArguments(t *testing.T) {
	t.Parallel()
	values := make([]string, 2, 8)
	values[0], values[1] = "1", "2"
	ctx := transport.WithHeader(t.Context(), "X-A", values...)
	values[0] = "changed"
	a, b := outgoing(ctx), outgoing(ctx)
	a["X-A"], b["X-A"] = append(a["X-A"], "a"), append(b["X-A"], "b")
	if want, have := "[1 2 a] [1 2 b]", fmt.Sprint(a["X-A"], b["X-A"]); want != have {
		t.Errorf("want %s, have %s", want, have)
	}
}
