package jsonrpc_test

import (
	"net/http"
	"runtime"
	"strings"
	"testing"

	"github.com/ashlar-go/ashlar/transport/http/jsonrpc"
)

// Documents that nest without end, as large as a body may be.
//
//nolint:paralleltest // it measures the memory of the process
func TestDeepDocumentsAreRefused(t *testing.T) {
	const room = 1<<20 - 200
	h := jsonrpc.NewHandler(set(jsonrpc.NewServer(named("any"), echo[any])))
	open, closed := strings.Repeat("[", room/2), strings.Repeat("]", room/2)
	for name, row := range map[string]struct{ document, want string }{
		"a batch of batches":    {open + closed, `"code":-32700`},
		"a batch, cut":          {open + open, `"code":-32700`},
		"params":                {`{"jsonrpc":"2.0","id":1,"method":"any","params":` + open + closed + `}`, `"code":-32700`},
		"params, less deep":     {`{"jsonrpc":"2.0","id":1,"method":"any","params":` + open[:5000] + closed[:5000] + `}`, `"code":-32602`},
		"params of no method":   {`{"jsonrpc":"2.0","id":1,"method":"none","params":` + open + closed + `}`, `"code":-32700`},
		"an id":                 {`{"jsonrpc":"2.0","id":` + open + closed + `,"method":"any"}`, `"code":-32700`},
		"a member of no use":    {`{"jsonrpc":"2.0","id":1,"method":"any","other":` + open + closed + `}`, `"code":-32700`},
		"objects":               {`{"jsonrpc":"2.0","id":1,"method":"any","params":` + strings.Repeat(`{"a":`, room/6) + "1" + strings.Repeat("}", room/6) + `}`, `"code":-32700`},
		"many calls of nothing": {"[" + strings.Repeat("1,", room/2-1) + "1]", `"code":-32600`},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		w := post(h, row.document)
		runtime.ReadMemStats(&after)
		used := after.TotalAlloc - before.TotalAlloc
		const most = 16 << 20
		if w.Code >= http.StatusInternalServerError || !strings.Contains(w.Body.String(), row.want) || w.Body.Len() > 10_000 || used > most {
			t.Errorf("%s: want %s with at most %d bytes, have %d and %d: %.300s", name, row.want, most, used, w.Code, w.Body)
		}
		t.Logf("%s: %d KiB, %d %.80s", name, used>>10, w.Code, w.Body)
	}
}
