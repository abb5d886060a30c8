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

	"github.com/ashlar-go/ashlar/auth"
	"github.com/ashlar-go/ashlar/examples/shop/accounts"
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
	return openWith(t, options{addr: "127.0.0.1:0", registry: "static"})
}

func openWith(t *testing.T, opts options) *shop {
	t.Helper()
	s, err := open(opts, log.New(t.Output()))
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

// login returns the credentials of somebody.
func login(t *testing.T, s *shop, user, password string) *auth.Credentials {
	t.Helper()
	config, err := s.certificates.client(operatorID, storefrontID)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := s.dialHTTP(s.url, config)
	if err != nil {
		t.Fatal(err)
	}
	credentials, err := accounts.LogIn(conn, user, password)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { credentials.Close() })
	return credentials
}

func ada(t *testing.T, s *shop) *auth.Credentials {
	t.Helper()
	return login(t, s, accounts.ACustomer, accounts.CustomerPassword)
}

func mason(t *testing.T, s *shop) *auth.Credentials {
	t.Helper()
	return login(t, s, accounts.AStaffMember, accounts.StaffPassword)
}

// bearer returns what such credentials send.
func bearer(t *testing.T, c *auth.Credentials) string {
	t.Helper()
	credential, err := c.Credential(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return credential.Value
}

// as returns a client of the storefront for somebody.
func as(t *testing.T, s *shop, who *auth.Credentials, opts ...httptransport.ClientOption) *storefront.Client {
	t.Helper()
	config, err := s.certificates.client(operatorID, storefrontID)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := s.dialHTTP(s.url, config)
	if err != nil {
		t.Fatal(err)
	}
	client, err := storefront.NewClient(conn, who.Middleware, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func TestACustomerBrowsesBuysAndIsToldWhatIsWrong(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	customer, barbara := bearer(t, ada(t, s)), bearer(t, login(t, s, "barbara", accounts.CustomerPassword))
	staff := bearer(t, mason(t, s))
	for _, c := range []struct {
		name, method, path, body string
		token                    string
		status                   int
		want                     []string // in the body
	}{
		{"find", "GET", "/products?category=stone&limit=2", "", "", 200, []string{`"category":"Stone"`, `"next":"`}},
		{"get", "GET", "/products/CHI-1001", "", "", 200, []string{`"sku":"CHI-1001"`, `"cents":2555`}},
		{"no product", "GET", "/products/nothing", "", "", 404, []string{`"code":"not_found"`, `"reason":"NO_PRODUCT"`}},
		{"a limit that is no number", "GET", "/products?limit=many", "", "", 400, []string{`"field":"limit"`}},
		{"a limit out of range", "GET", "/products?limit=1000", "", "", 400, []string{`want 1 to 100, have 1000`}},
		{
			"buy", "POST", "/orders", `{"lines":[{"sku":"CHI-1001","count":2}]}`,
			customer, 201, []string{`"id":1`, `"cents":5110`, `"customer":"ada"`},
		},
		{"the order", "GET", "/orders/1", "", customer, 200, []string{`"customer":"ada"`}},
		{"the order, for the staff", "GET", "/orders/1", "", staff, 200, []string{`"customer":"ada"`}},
		{"another's order", "GET", "/orders/1", "", barbara, 404, []string{`"reason":"NO_ORDER"`}},
		{"no order", "GET", "/orders/77", "", customer, 404, []string{`"reason":"NO_ORDER"`}},
		{
			"all that is wrong", "POST", "/orders", `{"lines":[{"sku":"CHI-1001","count":0},{"count":1}]}`,
			customer, 400, []string{`"field":"lines[0].count"`, `"field":"lines[1].sku"`},
		},
		{"nothing", "POST", "/orders", `{"lines":[]}`, customer, 400, []string{`"field":"lines"`}},
		{"who are you", "POST", "/orders", `{"lines":[]}`, "", 401, []string{`"reason":"CREDENTIALS_MISSING"`}},
		{"a token of nobody", "POST", "/orders", `{"lines":[]}`, "Bearer x", 401, []string{`"reason":"CREDENTIALS_INVALID"`}},
		{"the staff does not buy", "POST", "/orders", `{"lines":[]}`, staff, 403, []string{`"reason":"FORBIDDEN"`}},
		{"customers do not see each other", "GET", "/orders/feed", "", customer, 403, []string{`"reason":"FORBIDDEN"`}},
		{"a login without a password", "POST", "/login", "", "", 401, []string{`"reason":"CREDENTIALS_MISSING"`}},
		{"a login with a wrong one", "POST", "/login", "", "Basic YWRhOng=", 401, []string{`"the credentials are not valid"`}},
		{
			"too many", "POST", "/orders", `{"lines":[{"sku":"CHI-1002","count":900}]}`,
			customer, 400, []string{`"reason":"OUT_OF_STOCK"`, `only 895 of CHI-1002 are left`},
		},
		{
			"too much", "POST", "/orders", `{"lines":[{"sku":"CHI-1001","count":400}]}`,
			customer, 400, []string{`"reason":"PAYMENT_DECLINED"`, `10220.00 are more than a payment can be`},
		},
		{"what was not paid is back in the stock", "GET", "/products/CHI-1001", "", "", 200, []string{`"stock":1733`}},
	} {
		var header []string
		if c.token != "" {
			header = []string{"Authorization", c.token}
		}
		code, body := fetch(t, c.method, s.url+c.path, c.body, header...)
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
	place := func(name string) {
		t.Helper()
		customer := as(t, s, login(t, s, name, accounts.CustomerPassword))
		if _, err := customer.Place(t.Context(), &orders.Place{Lines: []catalog.Line{{SKU: "CHI-1001", Count: 1}}}); err != nil {
			t.Fatal(err)
		}
	}
	place("ada")
	place("grace")
	var customers []string
	for order, err := range as(t, s, mason(t, s)).Feed.Receive(t.Context(), &orders.Feed{After: 1}) {
		if err != nil {
			t.Fatal(err)
		}
		customers = append(customers, order.Customer)
		if len(customers) == 2 {
			break
		}
		place("edsger") // while the feed is open
	}
	if want, have := "grace edsger", strings.Join(customers, " "); want != have {
		t.Errorf("want %s, have %s", want, have)
	}
}

func TestAnOpenFeedDoesNotKeepTheShopFromClosing(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	staff := as(t, s, mason(t, s))
	if _, err := as(t, s, ada(t, s)).Place(t.Context(), &orders.Place{Lines: []catalog.Line{{SKU: "CHI-1001", Count: 1}}}); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	opened := make(chan struct{})
	go func() {
		var last error
		for _, err := range staff.Feed.Receive(context.WithoutCancel(t.Context()), &orders.Feed{}) {
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
	customer := as(t, s, ada(t, s))
	const each = 100 // of the 895 that there are
	var group sync.WaitGroup
	var mu sync.Mutex
	sold, refused := 0, 0
	for range 20 {
		group.Go(func() {
			_, err := customer.Place(t.Context(), &orders.Place{Lines: []catalog.Line{{SKU: "CHI-1002", Count: each}}})
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
	opts, err := parse([]string{"-load", "200", "-for", "5s", "-log", "error"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	var out, errout bytes.Buffer
	if err := run(t.Context(), opts, &out, &errout); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	last := lines[len(lines)-1]
	if !regexp.MustCompile(`^ *\d+\.\ds  ok [1-9]\d*  p50 .*  p99 `).MatchString(last) {
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
