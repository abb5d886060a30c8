package jwtauth_test

import (
	"bytes"
	"compress/gzip"
	"crypto/elliptic"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ashlar-go/ashlar/auth"
	jwtauth "github.com/ashlar-go/ashlar/auth/jwt"
)

func TestAnswersThatAreNotTaken(t *testing.T) {
	t.Parallel()
	key, _ := signing(t, "k1")
	good := published(t, key)
	elsewhere := newLoginServer(t, good)
	var bomb bytes.Buffer
	zip := gzip.NewWriter(&bomb)
	_, _ = zip.Write([]byte(`{"keys":[]` + strings.Repeat(" ", 20<<20) + `}`))
	_ = zip.Close()
	entry := strings.TrimSuffix(strings.TrimPrefix(string(must(jwtauth.MarshalJWKS(key))(t)), `{"keys":[`), `]}`)
	many := make([]string, 101)
	for i := range many {
		many[i] = strings.Replace(entry, `"k1"`, fmt.Sprintf(`"k%d"`, i), 1)
	}
	for name, h := range map[string]http.Handler{
		"redirect":   http.RedirectHandler(elsewhere.URL, http.StatusFound),
		"404":        http.NotFoundHandler(),
		"204":        http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }),
		"huge":       text(`{"keys":[` + entry + `]` + strings.Repeat(" ", 1<<20) + `}`),
		"huge after": text(`{"keys":[` + entry + `]}` + strings.Repeat(" ", 1<<20)),
		"bomb": http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(bomb.Bytes())
		}),
		"huge header": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X", strings.Repeat("x", 11<<20))
			good.ServeHTTP(w, r)
		}),
		"cut off": http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "9")
			_, _ = w.Write([]byte("{"))
		}),
		"many keys":         text(`{"keys":[` + strings.Join(many, ",") + `]}`),
		"empty":             text(``),
		"a list":            text(`[` + entry + `]`),
		"kid twice":         text(`{"keys":[` + strings.TrimSuffix(entry, "}") + `,"kid":"k1"}]}`),
		"keys twice":        text(`{"keys":[],"keys":[` + entry + `]}`),
		"long name":         text(`{"` + strings.Repeat("x", 100<<10) + `":1,"` + strings.Repeat("x", 100<<10) + `":2}`),
		"all have long alg": text(`{"keys":[` + strings.Repeat(`{"kty":"EC","alg":"`+strings.Repeat("x", 2<<10)+`"},`, 99) + `{}]}`),
		"no list":           text(`{"keys":` + entry + `}`),
		"null":              text(`{"keys":null}`),
		"deep":              text(`{"keys":[` + entry + `],"x":` + strings.Repeat("[", 1000) + strings.Repeat("]", 1000) + `}`),
		"more after":        text(`{"keys":[` + entry + `]}{}`),
		"same id twice":     text(`{"keys":[` + entry + `,` + entry + `]}`),
	} {
		j := newLoginServer(t, h).keys(t)
		if k, err := j.Key(t.Context(), "k1"); !errors.Is(err, auth.ErrUnavailable) {
			t.Errorf("%s: have %v, %v", name, k, err)
		}
		if s := j.Status(); s.Err == nil || len(s.KeyIDs) != 0 || len(s.Err.Error()) > 1100 {
			t.Errorf("%s: have %+v", name, s)
		}
	}
	if n := elsewhere.asked.Load(); n != 0 {
		t.Errorf("a redirect was followed %d times", n)
	}
}

func TestKeysThatAreLeftOut(t *testing.T) {
	t.Parallel()
	key, _ := signing(t, "good")
	good := strings.TrimSuffix(strings.TrimPrefix(string(must(jwtauth.MarshalJWKS(key))(t)), `{"keys":[`), `]}`)
	bad := strings.Replace(good, `"good"`, `"bad"`, 1)
	other, _ := signing(t, "bad")
	otherBad := strings.TrimSuffix(strings.TrimPrefix(string(must(jwtauth.MarshalJWKS(other))(t)), `{"keys":[`), `]}`)
	with := func(members string) string { return strings.TrimSuffix(bad, "}") + "," + members + "}" }
	short := base64.RawURLEncoding.EncodeToString(bytes.Repeat([]byte{0xff}, 128))
	long := base64.RawURLEncoding.EncodeToString(bytes.Repeat([]byte{0xff}, 256))
	zero := base64.RawURLEncoding.EncodeToString(make([]byte, 32))
	for name, entry := range map[string]string{
		"a secret":            `{"kty":"oct","kid":"bad","alg":"HS256","k":"` + long + `"}`,
		"with a secret":       with(`"k":"AAAA"`),
		"a private key":       with(`"d":"` + zero + `"`),
		"use is enc":          strings.Replace(bad, `"sig"`, `"enc"`, 1),
		"no verify":           with(`"key_ops":["encrypt"]`),
		"no operations":       with(`"key_ops":[]`),
		"another alg":         strings.Replace(bad, `"ES256"`, `"ES384"`, 1),
		"HS256 by alg":        strings.Replace(bad, `"ES256"`, `"HS256"`, 1),
		"none by alg":         strings.Replace(bad, `"ES256"`, `"none"`, 1),
		"unknown kty":         `{"kty":"LWE","kid":"bad","x":"` + zero + `"}`,
		"no kty":              `{"kid":"bad"}`,
		"unknown curve":       strings.Replace(bad, `"P-256"`, `"secp256k1"`, 1),
		"not on the curve":    `{"kty":"EC","crv":"P-256","kid":"bad","x":"` + zero + `","y":"` + zero + `"}`,
		"weak RSA":            `{"kty":"RSA","kid":"bad","e":"AQAB","n":"` + short + `"}`,
		"RSA by 1":            `{"kty":"RSA","kid":"bad","e":"AQ","n":"` + long + `"}`,
		"RSA by 2^32+1":       `{"kty":"RSA","kid":"bad","e":"AQAAAAE","n":"` + long + `"}`,
		"RSA by 2^64+3":       `{"kty":"RSA","kid":"bad","e":"AQAAAAAAAAAD","n":"` + long + `"}`,
		"RSA by 2":            `{"kty":"RSA","kid":"bad","e":"Ag","n":"` + long + `"}`,
		"even RSA":            `{"kty":"RSA","kid":"bad","e":"AQAB","n":"` + strings.TrimSuffix(long, "w") + `g"}`,
		"long alg":            strings.Replace(bad, `"ES256"`, `"`+strings.Repeat("E", 100<<10)+`"`, 1),
		"long kty":            `{"kty":"` + strings.Repeat("E", 100<<10) + `"}`,
		"identity":            `{"kty":"OKP","crv":"Ed25519","kid":"bad","x":"AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}`,
		"huge RSA":            `{"kty":"RSA","kid":"bad","e":"AQAB","n":"` + strings.Repeat(long, 20) + `"}`,
		"RSA with nothing":    `{"kty":"RSA","kid":"bad"}`,
		"short Ed25519":       `{"kty":"OKP","crv":"Ed25519","kid":"bad","x":"AAAA"}`,
		"31 bytes of Ed25519": `{"kty":"OKP","crv":"Ed25519","kid":"bad","x":"` + base64.RawURLEncoding.EncodeToString(bytes.Repeat([]byte{9}, 31)) + `"}`,
		"long Ed25519":        `{"kty":"OKP","crv":"Ed25519","kid":"bad","x":"` + long + `"}`,
		"X25519":              `{"kty":"OKP","crv":"X25519","kid":"bad","x":"` + zero + `"}`,
		"padded":              strings.Replace(bad, `"x":"`, `"x":"=`, 1),
		"same id twice":       bad + "," + otherBad,
		"three times":         bad + "," + otherBad + "," + bad,
		"kid is long":         strings.Replace(good, `"good"`, `"`+strings.Repeat("k", 257)+`"`, 1),
		"kid is no ASCII":     strings.Replace(good, `"good"`, `"b\u0000"`, 1),
		"a list":              `[]`,
		"null":                `null`,
		"kty is a number":     `{"kty":1}`,
		"x is a long array":   `{"kty":"EC","kid":"bad","x":[1,2,3]}`,
	} {
		reports := make(chan error, 10)
		j := newLoginServer(t, text(`{"keys":[`+entry+`,`+good+`]}`)).keys(t, jwtauth.JWKSReport(func(err error) { reports <- err }))
		if k, err := j.Key(t.Context(), "bad"); err == nil || errors.Is(err, auth.ErrUnavailable) {
			t.Errorf("%s: have %v, %v", name, k, err)
		}
		if s := j.Status(); fmt.Sprint(s.KeyIDs) != "[good]" {
			t.Errorf("%s: have %+v", name, s)
		}
		if err := <-reports; !strings.HasPrefix(err.Error(), "jwtauth: JWKS: key ") || strings.Contains(err.Error(), zero) || len(err.Error()) > 600 {
			t.Errorf("%s: the report is %v", name, err)
		}
	}
	for name, entry := range map[string]string{
		"a certificate is not looked at": with(`"x5c":["!"],"x5u":"http://[::1","x5t":"%"`),
		"verify among the operations":    with(`"key_ops":["sign","verify"]`),
		"no use and no alg":              strings.NewReplacer(`"use":"sig",`, ``, `"alg":"ES256",`, ``).Replace(bad),
	} {
		j := newLoginServer(t, text(" \n"+`{"keys":[`+entry+`,`+good+`]}`)).keys(t, jwtauth.JWKSReport(func(err error) { t.Errorf("%s: %v", name, err) }))
		if k, err := j.Key(t.Context(), "bad"); err != nil || k.Algorithm() != jwtauth.ES256 {
			t.Errorf("%s: have %v, %v", name, k, err)
		}
	}
}

func TestRSAKeysThatDoNotSayWhatTheyAreFor(t *testing.T) {
	t.Parallel()
	n := base64.RawURLEncoding.EncodeToString(rsaKey(t).N.Bytes())
	server := newLoginServer(t, text(`{"keys":[{"kty":"RSA","e":"AQAB","n":"`+n+`"}]}`))
	for want, opts := range map[jwtauth.Algorithm][]jwtauth.JWKSOption{jwtauth.RS256: nil, jwtauth.PS512: {jwtauth.JWKSRSA(jwtauth.PS512)}} {
		if k, err := server.keys(t, opts...).Key(t.Context(), ""); err != nil || k.Algorithm() != want {
			t.Errorf("want %s, have %v, %v", want, k, err)
		}
	}
}

func TestAKeyThatIsForAnotherAlgorithmNowIsAnother(t *testing.T) {
	t.Parallel()
	private := rsaKey(t)
	before, after := must(jwtauth.NewKey("k1", jwtauth.RS256, private))(t), must(jwtauth.NewKey("k1", jwtauth.PS256, private))(t)
	server := newLoginServer(t, published(t, before))
	j := server.keys(t, jwtauth.JWKSPause(time.Millisecond))
	if k := must(j.Key(t.Context(), "k1"))(t); k.Algorithm() != jwtauth.RS256 {
		t.Errorf("have %v", k)
	}
	server.answer(published(t, after))
	eventually(t, func() bool {
		_, _ = j.Key(t.Context(), "another")
		k, err := j.Key(t.Context(), "k1")
		return err == nil && k.Algorithm() == jwtauth.PS256
	})
	_ = j.Close()
	if k, err := j.Key(t.Context(), "k1"); !errors.Is(err, auth.ErrUnavailable) {
		t.Errorf("closed: have %v, %v", k, err)
	}
}

func TestAReportThatPanicsIsLeftAtThat(t *testing.T) {
	t.Parallel()
	key, _ := signing(t, "k1")
	server := newLoginServer(t, text("x"))
	var told atomic.Int64
	j := server.keys(t, jwtauth.JWKSPause(time.Millisecond), jwtauth.JWKSReport(func(error) {
		told.Add(1)
		panic("in a report")
	}))
	eventually(t, func() bool { return told.Load() > 2 })
	server.answer(published(t, key))
	eventually(t, func() bool {
		_, err := j.Key(t.Context(), "k1")
		return err == nil
	})
	hurt := must(jwtauth.NewJWKS("https://login.example", jwtauth.JWKSClient(&http.Client{Transport: trip(func() *http.Response { panic("in a transport") })})))(t)
	defer hurt.Close()
	if _, err := hurt.Key(t.Context(), "k1"); !errors.Is(err, auth.ErrUnavailable) {
		t.Errorf("have %v", err)
	}
}

func TestOptionsOfJWKSThatAreWrong(t *testing.T) {
	t.Parallel()
	const good = "https://login.example/keys"
	for name, opts := range map[string][]jwtauth.JWKSOption{
		"JWKSFresh: least":       {jwtauth.JWKSFresh(0, time.Minute)},
		"JWKSFresh: most":        {jwtauth.JWKSFresh(time.Minute, 48*time.Hour)},
		"JWKSFresh(2s, 1s)":      {jwtauth.JWKSFresh(2*time.Second, time.Second)},
		"JWKSPause(":             {jwtauth.JWKSPause(0)},
		"JWKSOutage(":            {jwtauth.JWKSOutage(0)},
		"JWKSTimeout(":           {jwtauth.JWKSTimeout(0)},
		"JWKSLimit: bytes":       {jwtauth.JWKSLimit(0, 1)},
		"JWKSLimit: keys":        {jwtauth.JWKSLimit(1<<10, 0)},
		"JWKSClient: the client": {jwtauth.JWKSClient(nil)},
		"JWKSClient: it is":      {jwtauth.JWKSClient(http.DefaultClient), jwtauth.JWKSClient(http.DefaultClient)},
		"JWKSRSA(":               {jwtauth.JWKSRSA(jwtauth.ES256)},
		"JWKSReport":             {jwtauth.JWKSReport(nil)},
		"longer than the":        {jwtauth.JWKSPause(2 * time.Minute)},
		"longer than JWKSOutage": {jwtauth.JWKSOutage(time.Minute)},
		"the list of options":    {nil},
	} {
		j, err := jwtauth.NewJWKS(good, opts...)
		if err == nil || !strings.HasPrefix(err.Error(), "jwtauth: NewJWKS: ") || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: have %v", name, err)
		}
		if j != nil {
			_ = j.Close()
		}
	}
	for url, ok := range map[string]bool{
		"": false, "login.example": false, "/keys": false, "https:///keys": false, "https://:443/": false, "https://a:b@login.example/": false,
		"https://login.example/#k": false, "http://login.example/": false, "http://localhost.example/": false, "http://192.0.2.1/": false,
		"ftp://login.example/": false, "file:///etc/keys": false, "http://\x00": false,
		good: true, "http://127.0.0.1:1/": true, "http://[::1]:1/": true, "http://localhost:1/": true,
	} {
		j, err := jwtauth.NewJWKS(url, jwtauth.JWKSClient(&http.Client{Transport: trip(func() *http.Response { return nil })}))
		if (err == nil) != ok || err != nil && strings.Contains(err.Error(), "a:b") {
			t.Errorf("%q: have %v", url, err)
		}
		if j != nil {
			_ = j.Close()
		}
	}
	j := must(jwtauth.NewJWKS("http://192.0.2.1/", jwtauth.JWKSPlaintext(), jwtauth.JWKSClient(&http.Client{Transport: trip(func() *http.Response { return nil })})))(t)
	_ = j.Close()
	_ = j.Close()
}

func TestAZeroJWKSRefuses(t *testing.T) {
	t.Parallel()
	for _, j := range []*jwtauth.JWKS{nil, {}} {
		if _, err := j.Key(t.Context(), "k"); err == nil {
			t.Error("Key: want an error")
		}
		if s := j.Status(); s.Err == nil {
			t.Error("Status: want an error")
		}
		if err := j.Close(); err != nil {
			t.Error(err)
		}
		if _, err := jwtauth.New[shop](j, jwtauth.AnyIssuer(), jwtauth.AnyAudience()); err == nil {
			t.Error("New: want an error")
		}
	}
}

func TestWhatIsNotPublished(t *testing.T) {
	t.Parallel()
	private := ecKey(t, elliptic.P256())
	key := must(jwtauth.NewKey("k1", "", private))(t)
	secret := must(jwtauth.NewKey("k2", "", bytes.Repeat([]byte("s"), 32)))(t)
	nameless := must(jwtauth.NewKey("", "", private))(t)
	for name, keys := range map[string][]*jwtauth.Key{"none": nil, "nil": {nil}, "zero": {{}}, "a secret": {key, secret}, "no id": {nameless}, "twice": {key, key}} {
		if _, err := jwtauth.MarshalJWKS(keys...); err == nil || strings.Contains(err.Error(), "sss") {
			t.Errorf("%s: have %v", name, err)
		}
		if _, err := jwtauth.ServeJWKS(time.Minute, keys...); err == nil {
			t.Errorf("%s: want it refused", name)
		}
	}
	set := string(must(jwtauth.MarshalJWKS(key))(t))
	if strings.Contains(set, `"d"`) || strings.Contains(set, base64.RawURLEncoding.EncodeToString(must(private.Bytes())(t))) {
		t.Errorf("it has the private key: %s", set)
	}
	if _, err := jwtauth.ServeJWKS(0, key); err == nil {
		t.Error("want no age refused")
	}
	server := newLoginServer(t, published(t, key))
	response, err := server.Client().Post(server.URL, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusMethodNotAllowed || response.Header.Get("Allow") != "GET, HEAD" {
		t.Errorf("POST: have %d", response.StatusCode)
	}
	response, err = server.Client().Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if h := response.Header; h.Get("Cache-Control") != "public, max-age=60" || h.Get("Content-Type") != "application/jwk-set+json" || h.Get("ETag") == "" {
		t.Errorf("have %v", h)
	}
}
