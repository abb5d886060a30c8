package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/examples/shop/catalog"
	"github.com/ashlar-go/ashlar/examples/shop/orders"
	"github.com/ashlar-go/ashlar/examples/shop/storefront"
	"github.com/ashlar-go/ashlar/log"
	"github.com/ashlar-go/ashlar/status"
	httptransport "github.com/ashlar-go/ashlar/transport/http"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fetch calls the storefront as curl does, and returns the status and the body.
func fetch(t *testing.T, method, url, body string, header ...string) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Close = true
	request.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

func openShop(t *testing.T) *shop {
	t.Helper()
	s, err := open(options{addr: "127.0.0.1:0", registry: "static"}, log.New(t.Output()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// customerOf returns a client of the storefront.
func customerOf(t *testing.T, s *shop, opts ...httptransport.ClientOption) *storefront.Client {
	t.Helper()
	conn, err := httptransport.Dial(s.url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	customer, err := storefront.NewClient(conn, endpoint.Recover(), opts...)
	if err != nil {
		t.Fatal(err)
	}
	return customer
}

func TestACustomerBrowsesBuysAndIsToldWhatIsWrong(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	for _, c := range []struct {
		name, method, path, body string
		header                   []string
		status                   int
		want                     []string // in the body
	}{
		{"find", "GET", "/products?category=stone&limit=2", "", nil, 200, []string{`"category":"Stone"`, `"next":"`}},
		{"get", "GET", "/products/CHI-1001", "", nil, 200, []string{`"sku":"CHI-1001"`, `"cents":2555`}},
		{"no product", "GET", "/products/nothing", "", nil, 404, []string{`"code":"not_found"`, `"reason":"NO_PRODUCT"`}},
		{"a limit that is no number", "GET", "/products?limit=many", "", nil, 400, []string{`"field":"limit"`}},
		{"a limit out of range", "GET", "/products?limit=1000", "", nil, 400, []string{`want 1 to 100, have 1000`}},
		{
			"buy", "POST", "/orders", `{"lines":[{"sku":"CHI-1001","count":2}]}`,
			[]string{"X-Customer", "Ada"}, 201, []string{`"id":1`, `"cents":5110`, `"customer":"Ada"`},
		},
		{"the order", "GET", "/orders/1", "", nil, 200, []string{`"customer":"Ada"`}},
		{"no order", "GET", "/orders/77", "", nil, 404, []string{`"reason":"NO_ORDER"`}},
		{
			"all that is wrong", "POST", "/orders", `{"lines":[{"sku":"CHI-1001","count":0},{"count":1}]}`,
			[]string{"X-Customer", "Ada"}, 400, []string{`"field":"lines[0].count"`, `"field":"lines[1].sku"`},
		},
		{"who are you", "POST", "/orders", `{"lines":[]}`, nil, 400, []string{`"field":"X-Customer"`}},
		{
			"too many", "POST", "/orders", `{"lines":[{"sku":"CHI-1002","count":900}]}`,
			[]string{"X-Customer", "Ada"}, 400, []string{`"reason":"OUT_OF_STOCK"`, `only 895 of CHI-1002 are left`},
		},
		{
			"too much", "POST", "/orders", `{"lines":[{"sku":"CHI-1001","count":400}]}`,
			[]string{"X-Customer", "Ada"}, 400, []string{`"reason":"PAYMENT_DECLINED"`, `10220.00 are more than a payment can be`},
		},
		{"what was not paid is back in the stock", "GET", "/products/CHI-1001", "", nil, 200, []string{`"stock":1733`}},
	} {
		code, body := fetch(t, c.method, s.url+c.path, c.body, c.header...)
		if want, have := c.status, code; want != have {
			t.Errorf("%s: want %d, have %d: %s", c.name, want, have, body)
		}
		for _, want := range c.want {
			if !strings.Contains(body, want) {
				t.Errorf("%s: want %s, have %s", c.name, want, body)
			}
		}
	}
}

func TestTheFeedGoesOnWhereTheReaderWas(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	customer := customerOf(t, s)
	place := func(name string) {
		t.Helper()
		if _, err := customer.Place(t.Context(), &orders.Place{Customer: name, Lines: []catalog.Line{{SKU: "CHI-1001", Count: 1}}}); err != nil {
			t.Fatal(err)
		}
	}
	place("Ada")
	place("Grace")
	var customers []string
	for order, err := range customer.Feed.Receive(t.Context(), &orders.Feed{After: 1}) {
		if err != nil {
			t.Fatal(err)
		}
		customers = append(customers, order.Customer)
		if len(customers) == 2 {
			break
		}
		place("Edsger") // while the feed is open
	}
	if want, have := "Grace Edsger", strings.Join(customers, " "); want != have {
		t.Errorf("want %s, have %s", want, have)
	}
}

func TestAnOpenFeedDoesNotKeepTheShopFromClosing(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	customer := customerOf(t, s)
	if _, err := customer.Place(t.Context(), &orders.Place{Customer: "Ada", Lines: []catalog.Line{{SKU: "CHI-1001", Count: 1}}}); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	opened := make(chan struct{})
	go func() {
		var last error
		for _, err := range customer.Feed.Receive(context.WithoutCancel(t.Context()), &orders.Feed{}) {
			if last = err; err == nil {
				close(opened)
			}
		}
		ended <- last
	}()
	<-opened
	if err := s.close(); err != nil {
		t.Error(err)
	}
	if want, have := status.Unavailable, status.CodeOf(<-ended); want != have {
		t.Errorf("want %v, have %v", want, have)
	}
}

func TestNothingIsSoldTwice(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	customer := customerOf(t, s)
	const each = 100 // of the 895 that there are
	var group sync.WaitGroup
	var mu sync.Mutex
	sold, refused := 0, 0
	for range 20 {
		group.Go(func() {
			_, err := customer.Place(t.Context(), &orders.Place{Customer: "Ada", Lines: []catalog.Line{{SKU: "CHI-1002", Count: each}}})
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				sold++
			case errors.Is(err, &status.Error{Code: status.FailedPrecondition, Reason: "OUT_OF_STOCK"}):
				refused++
			default:
				t.Error(err)
			}
		})
	}
	group.Wait()
	if sold != 8 || refused != 12 {
		t.Errorf("want 8 sold and 12 refused, have %d and %d", sold, refused)
	}
	code, body := fetch(t, "GET", s.url+"/products/CHI-1002", "")
	var product catalog.Product
	if err := json.Unmarshal([]byte(body), &product); err != nil || code != http.StatusOK {
		t.Fatal(err, body)
	}
	if want, have := 95, product.Stock; want != have {
		t.Errorf("want %d left, have %d", want, have)
	}
}

func TestTheLoadIsServedWithoutAnError(t *testing.T) {
	t.Parallel()
	opts, err := parse([]string{"-load", "200", "-for", "1500ms", "-log", "error"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	var out, errout bytes.Buffer
	if err := run(t.Context(), opts, &out, &errout); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	last := lines[len(lines)-1]
	if !regexp.MustCompile(`^ *\d+\.\ds  ok [1-9]\d\d?  p50 .*  p99 `).MatchString(last) {
		t.Errorf("want only ok, have %s", last)
	}
	if errout.Len() > 0 {
		t.Errorf("want no error, have %s", errout.String())
	}
}

func TestWrongFlagsAreRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ args, want string }{
		{"-load -1", "-load -1: want 0 to 100000"},
		{"-load 100001", "-load 100001: want 0 to 100000"},
		{"-for -1s", "-for -1s: want no less than 0"},
		{"-log loud", "-log"},
		{"now", `unexpected argument "now"`},
		{"-port 1", "flag provided but not defined"},
	} {
		_, err := parse(strings.Fields(c.args), io.Discard)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: want %q, have %v", c.args, c.want, err)
		}
	}
	if _, err := parse([]string{"-h"}, io.Discard); !errors.Is(err, flag.ErrHelp) {
		t.Errorf("want help, have %v", err)
	}
}

func TestAnAddressInUseIsAnError(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	err := run(ctx, options{addr: strings.TrimPrefix(s.url, "http://"), registry: "static", level: log.LevelError}, io.Discard, io.Discard)
	if err == nil || !strings.Contains(err.Error(), "storefront: listen tcp") {
		t.Errorf("want an error about the storefront's address, have %v", err)
	}
}
