package protect_test

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/ashlar-go/ashlar/transport/http/protect"
)

func TestWhatNoConstructorMadeRefusesEverything(t *testing.T) {
	t.Parallel()
	var (
		noCORS    *protect.CORS
		noCSRF    *protect.CSRF
		noHeaders *protect.Headers
	)
	for name, m := range map[string]wrapper{
		"nil CORS": noCORS, "zero CORS": new(protect.CORS), "nil CSRF": noCSRF, "zero CSRF": new(protect.CSRF),
		"nil Headers": noHeaders, "zero Headers": new(protect.Headers),
	} {
		h := m.Wrap(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Errorf("%s: it served", name) }))
		wantRefused(t, name, ask(h, http.MethodGet, "/"), http.StatusInternalServerError, "")
	}
}

func TestWrappingNothingPanics(t *testing.T) {
	t.Parallel()
	for want, m := range map[string]wrapper{
		"protect: CORS.Wrap with a nil handler": newCORS(t, protect.CORSOrigins(shop)), "protect: CSRF.Wrap with a nil handler": newCSRF(t),
		"protect: Headers.Wrap with a nil handler": newHeaders(t),
	} {
		func() {
			defer func() {
				if have := fmt.Sprint(recover()); have != want {
					t.Errorf("want %q, have %q", want, have)
				}
			}()
			m.Wrap(nil)
		}()
	}
}

func TestAHookThatPanicsLetsNothingThrough(t *testing.T) {
	t.Parallel()
	bad := func(*http.Request, error) { panic("hook") }
	reached := func(http.ResponseWriter, *http.Request) { t.Error("it was served") }
	for name, h := range map[string]http.Handler{
		"CORS": newCORS(t, protect.CORSOrigins(shop), protect.CORSRefuse(), protect.CORSOnRefusal(bad)).Wrap(http.HandlerFunc(reached)),
		"CSRF": newCSRF(t, protect.CSRFOnRefusal(bad)).Wrap(http.HandlerFunc(reached)),
	} {
		srv := httptest.NewUnstartedServer(h)
		srv.Config.ErrorLog = log.New(io.Discard, "", 0)
		srv.Start()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, srv.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Origin", evil)
		response, err := srv.Client().Do(r)
		if err == nil {
			response.Body.Close()
			if response.StatusCode != http.StatusForbidden {
				t.Errorf("%s: want 403 or a cut connection, have %d", name, response.StatusCode)
			}
		}
		srv.Close()
	}
}

func TestOneValueServesManyAtOnce(t *testing.T) {
	t.Parallel()
	h := newHeaders(t).Wrap(newCORS(t, protect.CORSOrigins(shop, "https://*.pages.example")).Wrap(newCSRF(t, protect.CSRFTrust(shop)).Wrap(http.HandlerFunc(served))))
	var asking sync.WaitGroup
	for i := range 8 {
		asking.Go(func() {
			for range 200 {
				from, want := shop, "served"
				if i%2 == 0 {
					from, want = evil, ""
				}
				w := ask(h, http.MethodPost, "/", "Origin: "+from, "Sec-Fetch-Site: cross-site")
				if have := w.Body.String(); (have == "served") != (want == "served") {
					t.Errorf("%s: have %s", from, have)
				}
			}
		})
	}
	asking.Wait()
}
