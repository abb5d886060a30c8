package httptransport_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"net/http"
	"testing"

	"github.com/coder/websocket"

	"github.com/ashlar-go/ashlar/endpoint"
	httptransport "github.com/ashlar-go/ashlar/transport/http"
)

// Each iteration is a stream of so many messages over loopback, which the client reads and drops.
const benchMessages = 100_000

func BenchmarkServerStream(b *testing.B) {
	s := endpoint.FromServerStream(func(_ context.Context, _ struct{}, send func(*plain) error) error {
		message := &plain{Text: "hello"}
		for message.N = range benchMessages {
			if err := send(message); err != nil {
				return err
			}
		}
		return nil
	})
	byHand := func(before, after, end string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			enc, control := json.NewEncoder(w), http.NewResponseController(w)
			message := &plain{Text: "hello"}
			for message.N = range benchMessages {
				_, _ = io.WriteString(w, before)
				_ = enc.Encode(message)
				_, _ = io.WriteString(w, after)
				_ = control.Flush()
			}
			_, _ = io.WriteString(w, end)
		})
	}
	ashlar := httptransport.NewStreamServer(countSpec, s)
	for _, row := range []struct {
		name, accept string
		h            http.Handler
	}{
		{"NDJSON", "application/x-ndjson", ashlar},
		{"NDJSON by hand", "application/x-ndjson", byHand("", "", "")},
		{"SSE", "text/event-stream", ashlar},
		{"SSE by hand", "text/event-stream", byHand("data: ", "\n", "event: end\ndata: {}\n\n")},
	} {
		b.Run(row.name, func(b *testing.B) {
			srv, _ := start(b, row.h)
			r, err := http.NewRequestWithContext(b.Context(), http.MethodGet, srv.URL, http.NoBody)
			if err != nil {
				b.Fatal(err)
			}
			r.Header.Set("Accept", row.accept)
			b.ReportAllocs()
			for b.Loop() {
				response, err := srv.Client().Do(r)
				if err != nil {
					b.Fatal(err)
				}
				_, _ = io.Copy(io.Discard, response.Body)
				_ = response.Body.Close()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/benchMessages, "ns/message")
		})
	}
}

func BenchmarkWebSocketEcho(b *testing.B) {
	echo := func(_ context.Context, in iter.Seq2[plain, error], out func(plain) error) error {
		for message, err := range in {
			if err != nil {
				return err
			}
			if err := out(message); err != nil {
				return err
			}
		}
		return nil
	}
	byHand := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer conn.CloseNow()
		for {
			_, data, err := conn.Read(r.Context())
			var message plain
			if err != nil || json.Unmarshal(data, &message) != nil {
				return
			}
			if data, err = json.Marshal(message); err != nil || conn.Write(r.Context(), websocket.MessageText, data) != nil {
				return
			}
		}
	})
	for name, h := range map[string]http.Handler{"Ashlar": httptransport.NewStreamServer(chatSpec, echo), "by hand": byHand} {
		b.Run(name, func(b *testing.B) {
			srv, _ := start(b, h)
			conn, _, err := websocket.Dial(b.Context(), srv.URL, nil)
			if err != nil {
				b.Fatal(err)
			}
			defer conn.CloseNow()
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if err := conn.Write(b.Context(), websocket.MessageText, fmt.Appendf(nil, `{"n":%d,"text":"hello"}`, i)); err != nil {
					b.Fatal(err)
				}
				if _, _, err := conn.Read(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
