package httptransport_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// Requests that two servers in a row might read differently (RFC 9112, section 11.2). Of each it is said what is answered, and what of it
// reaches a handler: never something that stood in the body of another request, and nothing after a request whose end is in doubt.
func TestRequestsEndWhereTheySayOnce(t *testing.T) {
	t.Parallel()
	mux := handler("POST /x", add)
	mux.HandleFunc("GET /next", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("/hidden", func(http.ResponseWriter, *http.Request) {})
	seen := &witness{Handler: mux}
	address := hardened(t, seen)

	const (
		head    = "POST /x HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n"
		body    = `{"a":1,"b":2}`
		chunked = "Transfer-Encoding: chunked\r\n"
		length  = "Content-Length: 13\r\n"
		whole   = "d\r\n" + body + "\r\n0\r\n\r\n"
		next    = "GET /next HTTP/1.1\r\nHost: h\r\n\r\n"
		hidden  = "GET /hidden HTTP/1.1\r\nHost: h\r\n\r\n"
	)
	var (
		both    = []string{"POST /x", "GET /next"}
		first   = both[:1]
		nothing []string
	)
	inside := fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(hidden), hidden)
	for _, row := range []struct {
		name, text string
		codes      []int
		seen       []string
	}{
		{"by length", head + length + "\r\n" + body + next, []int{200, 200}, both},
		{"by chunks", head + chunked + "\r\n" + whole + next, []int{200, 200}, both},

		// Both lengths: it is the chunks that count, whatever stands first (RFC 9112, section 6.3).
		{"CL.TE", head + "Content-Length: 6\r\n" + chunked + "\r\n" + whole, []int{200}, first},
		{"CL.TE, a request behind", head + "Content-Length: 23\r\n" + chunked + "\r\n" + whole + "GET /hid", []int{200, 400}, first},
		{"TE.CL", head + chunked + "Content-Length: 4\r\n\r\n" + inside, []int{400}, first},
		{"TE.CL, all of it", head + chunked + length + "\r\n" + whole + next, []int{200, 200}, both},
		{"TE.TE, another", head + chunked + "Transfer-Encoding: identity\r\n\r\n" + whole + hidden, []int{501}, nothing},
		{"TE.TE, the same", head + chunked + chunked + "\r\n" + whole + hidden, []int{501}, nothing},
		{"xchunked", head + "Transfer-Encoding: xchunked\r\n\r\n" + whole + hidden, []int{501}, nothing},
		{"in quotes", head + "Transfer-Encoding: \"chunked\"\r\n\r\n" + whole + hidden, []int{501}, nothing},
		{"a list", head + "Transfer-Encoding: chunked, identity\r\n\r\n" + whole + hidden, []int{501}, nothing},
		{"a list that ends in chunked", head + "Transfer-Encoding: identity, chunked\r\n\r\n" + whole + hidden, []int{501}, nothing},
		{"gzip and chunked", head + "Transfer-Encoding: gzip, chunked\r\n\r\n" + whole + hidden, []int{501}, nothing},
		{"identity", head + "Transfer-Encoding: identity\r\n" + length + "\r\n" + body + hidden, []int{501}, nothing},
		{"with a control character", head + "Transfer-Encoding: \x0bchunked\r\n\r\n" + whole + hidden, []int{400}, nothing},
		{"in large letters", head + "Transfer-Encoding: CHUNKED\r\n\r\n" + whole + next, []int{200, 200}, both},
		{"chunked by HTTP/1.0", strings.Replace(head, "1.1", "1.0", 1) + chunked + "Connection: keep-alive\r\n\r\n" + inside, []int{400, 400}, first},

		{"two lengths", head + "Content-Length: 0\r\n" + length + "\r\n" + body + hidden, []int{400}, nothing},
		{"two in one field", head + "Content-Length: 13, 13\r\n\r\n" + body + hidden, []int{400}, nothing},
		{"twice the same", head + length + length + "\r\n" + body + next, []int{200, 200}, both},
		{"a plus", head + "Content-Length: +13\r\n\r\n" + body + hidden, []int{400}, nothing},
		{"a minus", head + "Content-Length: -13\r\n\r\n" + body + hidden, []int{400}, nothing},
		{"hexadecimal", head + "Content-Length: 0xd\r\n\r\n" + body + hidden, []int{400}, nothing},
		{"with an underscore", head + "Content-Length: 1_3\r\n\r\n" + body + hidden, []int{400}, nothing},
		{"no number", head + "Content-Length: \r\n\r\n" + body + hidden, []int{400}, nothing},
		{"too large a number", head + "Content-Length: 18446744073709551629\r\n\r\n" + body + hidden, []int{400}, nothing},
		{"the length of a GET", fmt.Sprintf("GET /next HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n%s", len(hidden), hidden), []int{200}, both[1:]},

		{"space before the colon", head + "Content-Length : 13\r\n\r\n" + body + hidden, []int{400}, nothing},
		{"space before the other colon", head + "Transfer-Encoding : chunked\r\n\r\n" + whole + hidden, []int{400}, nothing},
		{"a fold", head + "X: a\r\n Content-Length: 13\r\n\r\n", []int{400}, first}, // an empty body, since that is X's value
		{"a fold at the beginning", "POST /x HTTP/1.1\r\n Host: h\r\n" + length + "\r\n" + body + hidden, []int{400}, nothing},
		{"a bare LF", head + "X: a\n" + length + "\r\n" + body + next, []int{200, 200}, both}, // ends a line (RFC 9112, section 2.2)
		{"bare LFs alone", strings.ReplaceAll(head+length+"\r\n", "\r\n", "\n") + body + next, []int{200, 200}, both},
		{"a bare CR", head + "X: a\r" + length + "\r\n" + body + hidden, []int{400}, nothing},
		{"a NUL", head + "X: a\x00b\r\n" + length + "\r\n" + body + hidden, []int{400}, nothing},
		{"a NUL in a name", head + "X\x00: a\r\n" + length + "\r\n" + body + hidden, []int{400}, nothing},
		{"no name", head + ": a\r\n" + length + "\r\n" + body + hidden, []int{400}, nothing},
		{"no colon", head + "a\r\n" + length + "\r\n" + body + hidden, []int{400}, nothing},

		{"an extension of a chunk", head + chunked + "\r\nd;a=b\r\n" + body + "\r\n0\r\n\r\n" + next, []int{200, 200}, both},
		{"one with a bare LF", head + chunked + "\r\nd;a\n" + body + "\r\n0\r\n\r\n" + hidden, []int{400}, first},
		{"one that is long", head + chunked + "\r\nd;" + strings.Repeat("a", 20_000) + "\r\n" + body + "\r\n0\r\n\r\n" + hidden, []int{400}, first},
		{"extensions of many chunks", head + chunked + "\r\n" + strings.Repeat("1;"+strings.Repeat("a", 3000)+"\r\n \r\n", 50) + whole + hidden, []int{400}, first},
		{"a chunk with 0x", head + chunked + "\r\n0xd\r\n" + body + "\r\n0\r\n\r\n" + hidden, []int{400}, first},
		{"of a negative size", head + chunked + "\r\n-d\r\n" + body + "\r\n0\r\n\r\n" + hidden, []int{400}, first},
		{"of a size too large", head + chunked + "\r\n1000000000000000d\r\n" + body + "\r\n0\r\n\r\n" + hidden, []int{400}, first},
		{"of no size", head + chunked + "\r\n\r\n" + body + "\r\n0\r\n\r\n" + hidden, []int{400}, first},
		{"longer than it says", head + chunked + "\r\nd\r\n" + body + "XX0\r\n\r\n" + hidden, []int{400}, first},
		{"chunks with bare LFs", head + chunked + "\r\nd\n" + body + "\n0\n\n" + hidden, []int{400}, first},
		{"fields in the trailer", head + chunked + "\r\nd\r\n" + body + "\r\n0\r\nContent-Length: 5\r\nHost: evil\r\n\r\n" + next, []int{200, 200}, both},

		{"two hosts", "POST /x HTTP/1.1\r\nHost: h\r\nHost: evil\r\n" + length + "\r\n" + body + hidden, []int{400}, nothing},
		{"no host", "POST /x HTTP/1.1\r\n" + length + "\r\n" + body + hidden, []int{400}, nothing},
		{"a host with a path", "POST /x HTTP/1.1\r\nHost: h/evil\r\n" + length + "\r\n" + body + hidden, []int{400}, nothing},
		{"a host with a user", "POST /x HTTP/1.1\r\nHost: h@evil\r\n" + length + "\r\n" + body + hidden, []int{400}, nothing},

		{"HTTP/0.9", "GET /hidden\r\n" + next, []int{400}, nothing},
		{"HTTP/3.0", "GET /hidden HTTP/3.0\r\nHost: h\r\n\r\n" + next, []int{505}, nothing},
		{"two spaces", "GET  /hidden HTTP/1.1\r\nHost: h\r\n\r\n" + next, []int{400}, nothing},
		{"a tab", "GET\t/hidden HTTP/1.1\r\nHost: h\r\n\r\n" + next, []int{400}, nothing},
		{"a space at the end", "GET /hidden HTTP/1.1 \r\nHost: h\r\n\r\n" + next, []int{400}, nothing},
		{"a method with a NUL", "G\x00T /hidden HTTP/1.1\r\nHost: h\r\n\r\n" + next, []int{400}, nothing},
		{"a path with a NUL", "GET /hidden\x00 HTTP/1.1\r\nHost: h\r\n\r\n" + next, []int{400}, nothing},
		{"CONNECT", "CONNECT evil:443 HTTP/1.1\r\nHost: evil:443\r\n\r\n", []int{404}, []string{"CONNECT "}},
		{"h2c by Upgrade", "GET /next HTTP/1.1\r\nHost: h\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n" +
			next, []int{200, 200}, []string{"GET /next", "GET /next"}},
	} {
		codes, headers := exchangeRaw(t, address, row.text)
		for range 10 {
			if len(codes) > 0 {
				break
			}
			seen.saw()
			codes, headers = exchangeRaw(t, address, row.text)
		}
		if have := seen.saw(); !slices.Equal(row.codes, codes) || !slices.Equal(row.seen, have) {
			t.Errorf("%s: want %v and %q, have %v and %q", row.name, row.codes, row.seen, codes, have)
		}
		for _, header := range headers {
			if header.Get("Upgrade") != "" || header.Get("Server") != "" || header.Get("X-Powered-By") != "" {
				t.Errorf("%s: have %v", row.name, header)
			}
		}
	}
}

// An address in the request line counts more than Host (RFC 9112, section 3.2.2), and is what handlers see in its place.
func TestTheHostOfARequestIsOne(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	hosts := make(chan string, 1)
	mux.HandleFunc("GET admin.example/", func(_ http.ResponseWriter, r *http.Request) { hosts <- "admin: " + r.Host })
	mux.HandleFunc("GET /", func(_ http.ResponseWriter, r *http.Request) { hosts <- "open: " + r.Host })
	address := hardened(t, mux)
	for line, want := range map[string]string{
		"GET / HTTP/1.1\r\nHost: shop.example":                                    "open: shop.example",
		"GET / HTTP/1.1\r\nHost: admin.example":                                   "admin: admin.example",
		"GET http://shop.example/ HTTP/1.1\r\nHost: admin.example":                "open: shop.example",
		"GET http://admin.example/ HTTP/1.1\r\nHost: shop.example":                "admin: admin.example",
		"GET / HTTP/1.1\r\nX-Forwarded-Host: admin.example\r\nHost: shop.example": "open: shop.example",
	} {
		exchangeRaw(t, address, line+"\r\n\r\n")
		if have := <-hosts; have != want {
			t.Errorf("%q: want %q, have %q", line, want, have)
		}
	}
}
