package httptransport_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/ashlar-go/ashlar/status"
	httptransport "github.com/ashlar-go/ashlar/transport/http"
)

// mixed has a field of each kind from each place.
type mixed struct {
	ID     string         `json:"-"      path:"id"`
	Text   string         `json:"-"      query:"text"`
	Texts  []string       `json:"-"      query:"texts"`
	Int    int64          `json:"-"      query:"int"`
	Float  *float64       `json:"-"      query:"float"`
	Wait   time.Duration  `default:"1s"  json:"-" query:"wait"`
	Bytes  []byte         `json:"-"      query:"bytes"`
	At     *time.Time     `json:"-"      query:"at"`
	Header string         `header:"X-H"  json:"-"`
	Names  []string       `json:"names"`
	Counts map[string]int `json:"counts"`
}

// FuzzBind checks that whatever arrives is bound or refused as InvalidArgument, and never more than that.
func FuzzBind(f *testing.F) {
	f.Add("a%2Fb", "text=a&texts=b&texts=c&int=-1&float=1.5&wait=3s&bytes=aGk&at=2026-01-02T03:04:05Z", "h", "application/json", []byte(`{"names":["n"]}`))
	f.Add("", "int=x&%zz;", "\x00", "application/json; charset=x", []byte(`{"names":7,"names":8}`))
	f.Add("..", "text=%ff&at=0&bytes=!", "ü", "", []byte("\x1f\x8b"))
	h := handler("POST /x/{id}", func(_ context.Context, _ *mixed) (struct{}, error) { return struct{}{}, nil },
		httptransport.ServerErrorHandler(func(context.Context, error) {}))
	f.Fuzz(func(t *testing.T, path, query, header, contentType string, body []byte) {
		u, err := url.ParseRequestURI("/x/" + path)
		if err != nil {
			t.Skip()
		}
		u.RawQuery = query
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(string(body)))
		r.URL = u
		r.Header["X-H"] = []string{header}
		r.Header["Content-Type"] = []string{contentType}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		switch w.Code {
		case http.StatusNoContent, http.StatusTemporaryRedirect, http.StatusNotFound:
		case http.StatusBadRequest, http.StatusUnsupportedMediaType, http.StatusRequestEntityTooLarge:
			if e := problem(t, w); e.Code != status.InvalidArgument && e.Code != status.ResourceExhausted {
				t.Errorf("have %v", e)
			}
		default:
			t.Errorf("have %d %s", w.Code, w.Body)
		}
	})
}

// FuzzRoundTrip checks that what a client sends is what the server binds.
func FuzzRoundTrip(f *testing.F) {
	f.Add("a/b", "t", int64(-1), 1.5, int64(time.Minute), []byte("hi"), "h", "n")
	f.Add("%", "&=", int64(1)<<62, 0.1, int64(0), []byte{}, "", "\x00")
	f.Add("ü", "\n", int64(0), 1e300, int64(-1), []byte{0xff}, "a\tb", "ü")
	var have *mixed
	h := handler("POST /x/{id}", func(_ context.Context, r *mixed) (struct{}, error) { have = r; return struct{}{}, nil })
	client := &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
		data, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		w := httptest.NewRecorder()
		arrived := httptest.NewRequest(r.Method, r.URL.RequestURI(), strings.NewReader(string(data)))
		arrived.Header = r.Header
		h.ServeHTTP(w, quiet(arrived))
		return w.Result(), nil
	})}
	c := newClient[*mixed, struct{}](f, dial(f, "http://h", httptransport.DialClient(client)), "POST /x/{id}")
	f.Fuzz(func(t *testing.T, id, text string, n int64, fl float64, wait int64, data []byte, header, name string) {
		sent := &mixed{
			ID: id, Text: text, Texts: []string{text, ""}, Int: n, Float: &fl, Wait: time.Duration(wait), Bytes: data,
			Header: header, Names: []string{name}, Counts: map[string]int{name: int(n)},
		}
		_, err := c(t.Context(), sent)
		// Dots would leave the route, http.ServeMux cannot match a segment that is one slash, and text cannot say NaN or infinity.
		fits := utf8.ValidString(id) && utf8.ValidString(text) && utf8.ValidString(header) && utf8.ValidString(name) &&
			id != "" && id != "." && id != ".." && id != "/" && fl-fl == 0
		if err != nil {
			if fits {
				t.Fatalf("%+v: %v", sent, err)
			}
			return
		}
		if len(data) == 0 {
			sent.Bytes, have.Bytes = nil, nil
		}
		if wait == 0 { // a zero value is not sent, so that the default is what the server takes
			sent.Wait = have.Wait
		}
		if !reflect.DeepEqual(sent, have) {
			t.Errorf("want %+v, have %+v", sent, have)
		}
	})
}
