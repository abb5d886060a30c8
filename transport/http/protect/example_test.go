package protect_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"

	httptransport "github.com/ashlar-go/ashlar/transport/http"
	"github.com/ashlar-go/ashlar/transport/http/protect"
)

func Example() {
	mux := http.NewServeMux()
	mux.Handle("POST /count", one)

	headers, err := protect.NewHeaders()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return
	}
	cors, err := protect.NewCORS(
		protect.CORSOrigins("https://shop.example.com"),
		protect.CORSRequestHeaders("Authorization", "Content-Type"),
	)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return
	}
	csrf, err := protect.NewCSRF(protect.CSRFTrust("https://shop.example.com"))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return
	}
	server := httptransport.NewHTTPServer(headers.Wrap(cors.Wrap(csrf.Wrap(mux))))

	for _, page := range []string{"https://shop.example.com", "https://evil.example"} {
		r := httptest.NewRequest(http.MethodPost, "/count", nil)
		r.Header.Set("Origin", page)
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		w := httptest.NewRecorder()
		server.Handler.ServeHTTP(w, r)
		fmt.Println(page, w.Code, w.Body)
		fmt.Printf("may be read by %q, may be kept: %s\n", w.Header().Get("Access-Control-Allow-Origin"), w.Header().Get("Cache-Control"))
	}
	// Output:
	// https://shop.example.com 200 {"sum":1}
	// may be read by "https://shop.example.com", may be kept: no-store
	// https://evil.example 403 {"title":"Forbidden","status":403,"detail":"pages of other sites may not do this","code":"permission_denied","reason":"CROSS_SITE_REFUSED"}
	// may be read by "", may be kept: no-store
}

func ExampleNewCORS() {
	_, err := protect.NewCORS(protect.CORSOrigins("*"), protect.CORSCredentials())
	fmt.Println(err)
	_, err = protect.NewCORS(protect.CORSOrigins("https://shop.example.com/"))
	fmt.Println(err)
	// Output:
	// protect: NewCORS: CORSCredentials with CORSOrigins("*"): every page could do what its reader may
	// protect: NewCORS: CORSOrigins("https://shop.example.com/"): want an origin such as https://shop.example.com, or https://*.example.com for all below
}
