package main

import (
	"net/http"
	"strings"
	"testing"

	"github.com/ashlar-go/ashlar/examples/shop/accounts"
	"github.com/ashlar-go/ashlar/ratelimit"
)

func TestACustomerWhoAsksForTooMuchIsToldWhenToComeBack(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	mallory, ada := bearer(t, login(t, s, "tony", accounts.CustomerPassword)), bearer(t, ada(t, s))
	ask := func(token string) (code int, header http.Header) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"/orders", strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Authorization", token)
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		return response.StatusCode, response.Header
	}
	const many = 10_000 // far more than perCustomer, also where a call takes some milliseconds
	code, header := ask(mallory)
	for range many {
		if code == http.StatusTooManyRequests {
			break
		}
		code, header = ask(mallory)
	}
	if want, have := http.StatusTooManyRequests, code; want != have {
		t.Fatalf("want %d, have %d", want, have)
	}
	if header.Get("Retry-After") == "" || !strings.HasPrefix(header.Get(ratelimit.HeaderRateLimitPolicy), `"per-customer";q=50`) {
		t.Errorf("want it to be said how many there may be, and when, have %v", header)
	}
	code, _ = ask(ada)
	if want, have := http.StatusBadRequest, code; want != have {
		t.Errorf("want another customer to be heard, with %d, have %d", want, have)
	}
	if code, _ := fetch(t, http.MethodGet, s.url+"/products", ""); code != http.StatusOK {
		t.Errorf("want everybody to be free to look, have %d", code)
	}
}

func TestPasswordsAreNotGuessed(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	for range 10_000 { // far more than triesPerSecond, also where a try takes some milliseconds
		switch code, _ := fetch(t, http.MethodPost, s.url+"/login", "", "Authorization", "Basic nothing"); code { // which costs no hash
		case http.StatusUnauthorized:
		case http.StatusTooManyRequests:
			return
		default:
			t.Fatalf("want it refused, have %d", code)
		}
	}
	t.Error("want an end of it")
}
