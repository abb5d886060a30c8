package load_test

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/ashlar-go/ashlar/bench/internal/load"
	"github.com/ashlar-go/ashlar/bench/internal/model"
)

func TestWrongRepliesAreFound(t *testing.T) {
	t.Parallel()
	const right = `{"sum":3}`
	for name, test := range map[string]struct {
		answer func(w http.ResponseWriter, n int64) // n counts the calls from 1
		want   string                               // a part of the error; empty for none
	}{
		"right":       {func(w http.ResponseWriter, _ int64) { io.WriteString(w, right) }, ""},
		"chunked":     {func(w http.ResponseWriter, _ int64) { chunked(w, right) }, ""},
		"first wrong": {func(w http.ResponseWriter, _ int64) { io.WriteString(w, `{"sum":4}`) }, "is wrong"},
		"not JSON":    {func(w http.ResponseWriter, _ int64) { io.WriteString(w, `3`) }, "small body"},
		"later wrong": {func(w http.ResponseWriter, n int64) {
			if n > 3 {
				io.WriteString(w, `{"sum":4}`)
				return
			}
			io.WriteString(w, right)
		}, "differs from the first"},
		"later longer": {func(w http.ResponseWriter, n int64) { io.WriteString(w, right+strings.Repeat(" ", int(n/4))) }, "differs from the first"},
		"status": {func(w http.ResponseWriter, n int64) {
			if n > 3 {
				w.WriteHeader(http.StatusTeapot)
			}
			io.WriteString(w, right)
		}, "want status 200"},
		"closed": {func(w http.ResponseWriter, n int64) {
			if n > 3 {
				panic(http.ErrAbortHandler)
			}
			io.WriteString(w, right)
		}, "EOF"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var calls atomic.Int64
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { test.answer(w, calls.Add(1)) }))
			defer s.Close()
			err := run(s.Listener.Addr(), 2, 20)
			switch {
			case test.want == "" && err != nil:
				t.Errorf("want no error, have %v", err)
			case test.want == "" && calls.Load() != 22:
				t.Errorf("want 22 calls, have %d", calls.Load())
			case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
				t.Errorf("want an error with %q, have %v", test.want, err)
			}
		})
	}
}

func run(address net.Addr, conns, calls int) error {
	l, err := load.Dial(address.String(), model.Small(), conns)
	if err != nil {
		return err
	}
	defer l.Close()
	return l.Run(calls)
}

func chunked(w http.ResponseWriter, body string) {
	for i := range body {
		io.WriteString(w, body[i:i+1])
		http.NewResponseController(w).Flush()
	}
}
