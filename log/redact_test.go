package log_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	kitlog "github.com/go-kit/log"

	"github.com/ashlar-go/ashlar/log"
	"github.com/ashlar-go/ashlar/transport"
)

const secret = "hunter2"

type (
	card struct {
		Owner  string `json:"owner"`
		Number string `json:"number" log:"redact"`
		CVC    string `log:"-"`
		hidden string
	}
	order struct {
		ID     int
		Card   *card            `json:"card"`
		Cards  []card           `json:"cards,omitempty"`
		ByName map[string]*card `json:"byName,omitempty"`
		Any    any              `json:"any,omitempty"`
		Next   *order           `json:"next,omitempty"`
		Skip   string           `json:"-"`
	}
	login struct {
		User     string
		Password string
		APIKey   string `json:"key"`
		Renamed  string `json:"clientSecret"`
	}
	speaking struct {
		Name string
		PIN  string `log:"redact"`
	}
	embedding struct {
		card
		*login
		time.Time

		Extra string
	}
	tagged struct {
		card `log:"redact"`

		Rest string
	}
	shadow struct {
		card

		Number string `json:"shown"`
	}
	byValue   struct{ V string }
	byPointer struct{ V string }
	withText  struct {
		*big.Int

		Token string `log:"redact"`
	}
	plain struct{ A, B string }
	self  struct{ M map[*self]int }
)

func (s speaking) String() string               { return s.Name + s.PIN }
func (s speaking) MarshalJSON() ([]byte, error) { return json.Marshal(s.PIN) }
func (byValue) LogValue() slog.Value            { return slog.StringValue("shown") }
func (*byPointer) LogValue() slog.Value {
	return slog.GroupValue(slog.String("a", "b"), slog.String("token", secret))
}

func theCard() *card { return &card{"Ann", secret, secret, secret} }

func redactCases() map[string]struct {
	key   string
	value any
	want  string // JSON
} {
	loop := &order{ID: 1, Card: theCard()}
	loop.Next = loop
	list := []any{theCard()}
	list = append(list, nil)
	list[1] = list
	ring := map[string]any{"password": secret}
	ring["self"] = ring
	keyed := &self{}
	keyed.M = map[*self]int{keyed: 1}
	address, _ := url.Parse("postgres://ann:" + secret + "@db/shop")
	shown := `{"owner":"Ann","number":"[redacted]"}`
	return map[string]struct {
		key   string
		value any
		want  string
	}{
		"key":               {"password", secret, `"[redacted]"`},
		"key of a struct":   {"credentials", plain{secret, secret}, `"[redacted]"`},
		"key of bytes":      {"cookie", []byte(secret), `"[redacted]"`},
		"case":              {"PassWord", secret, `"[redacted]"`},
		"form of the key":   {"X-Api-Key", secret, `"[redacted]"`},
		"end of the key":    {"db_password", secret, `"[redacted]"`},
		"camel case":        {"accessToken", secret, `"[redacted]"`},
		"group":             {"request.header.Authorization", secret, `"[redacted]"`},
		"inside of a group": {"cookie.value", secret, `"[redacted]"`},
		"other key":         {"tokens_used", 5, `5`},
		"tags":              {"v", theCard(), shown},
		"value":             {"v", *theCard(), shown},
		"pointers":          {"v", new(theCard()), shown},
		"slice":             {"v", []card{*theCard()}, `[` + shown + `]`},
		"array":             {"v", [1]*card{theCard()}, `[` + shown + `]`},
		"map":               {"v", map[int]card{7: *theCard()}, `{"7":` + shown + `}`},
		"map keys":          {"v", map[card]int{*theCard(): 1}, `{"{\"owner\":\"Ann\",\"number\":\"[redacted]\"}":1}`},
		"interface":         {"v", []any{1, theCard(), nil}, `[1,` + shown + `,null]`},
		"nested": {
			"v", order{ID: 1, Card: theCard(), Cards: []card{*theCard()}, ByName: map[string]*card{"a": theCard()}, Any: theCard(), Skip: secret},
			`{"ID":1,"card":` + shown + `,"cards":[` + shown + `],"byName":{"a":` + shown + `},"any":` + shown + `}`,
		},
		"cycle":           {"v", loop, `{"ID":1,"card":` + shown + `,"next":"[cycle]"}`},
		"slice in itself": {"v", list, `[` + shown + `,"[cycle]"]`},
		"map in itself":   {"v", ring, `{"password":"[redacted]","self":"[cycle]"}`},
		"key in itself":   {"v", keyed, `{"M":{"[cycle]":1}}`},
		"shared, no ring": {"v", []*plain{{"a", "b"}, nil}, `[{"A":"a","B":"b"},null]`},
		"field names":     {"v", login{"ann", secret, secret, secret}, `{"User":"ann","Password":"[redacted]","key":"[redacted]","clientSecret":"[redacted]"}`},
		"tags win":        {"v", speaking{"Ann", secret}, `{"Name":"Ann","PIN":"[redacted]"}`},
		"tags win inside": {"v", []fmt.Stringer{speaking{"Ann", secret}}, `[{"Name":"Ann","PIN":"[redacted]"}]`},
		"embedded": {
			"v", embedding{*theCard(), &login{User: "ann", Password: secret}, time.Unix(0, 0).UTC(), "x"},
			`{"owner":"Ann","number":"[redacted]","User":"ann","Password":"[redacted]","key":"[redacted]",` +
				`"clientSecret":"[redacted]","Time":"1970-01-01T00:00:00Z","Extra":"x"}`,
		},
		"embedded text":       {"v", withText{big.NewInt(7), secret}, `{"Int":7,"Token":"[redacted]"}`},
		"embedded nil":        {"v", embedding{Extra: "x"}, `{"owner":"","number":"[redacted]","Time":"0001-01-01T00:00:00Z","Extra":"x"}`},
		"embedded and tagged": {"v", tagged{*theCard(), "x"}, `{"Rest":"x"}`},
		"shadowed":            {"v", shadow{*theCard(), "1"}, `{"owner":"Ann","shown":"1"}`},
		"http.Header":         {"v", http.Header{"Authorization": {"Bearer " + secret}, "Accept": {"*/*"}}, `{"Accept":["*/*"],"Authorization":"[redacted]"}`},
		"transport.Header":    {"v", transport.HeaderMap{"Set-Cookie": {secret}}, `{"Set-Cookie":"[redacted]"}`},
		"URL":                 {"v", address, `"postgres://ann:xxxxx@db/shop"`},
		"URL inside":          {"v", struct{ U url.URL }{*address}, `{"U":"postgres://ann:xxxxx@db/shop"}`},
		"LogValuer":           {"v", byValue{secret}, `"shown"`},
		"LogValuer inside":    {"v", []any{byValue{secret}}, `["shown"]`},
		"LogValuer's group":   {"v", &byPointer{secret}, `{"a":"b","token":"[redacted]"}`},
		"LogValuer by value":  {"v", struct{ V byPointer }{byPointer{secret}}, `{"V":{"a":"b","token":"[redacted]"}}`},
		"slog.Value":          {"v", slog.GroupValue(slog.String("password", secret), slog.Int("n", 1)), `{"password":"[redacted]","n":1}`},
		"slog.Attr":           {"v", slog.String("password", secret), `{"password":"[redacted]"}`},
		"slog.Attrs":          {"v", []slog.Attr{slog.Group("g", "password", secret)}, `[{"g":{"password":"[redacted]"}}]`},
	}
}

// The ways that a line can take to its reader.
func redactPaths(out *bytes.Buffer) map[string]log.Logger {
	jsonHandler, textHandler := slog.NewJSONHandler(out, nil), slog.NewTextHandler(out, nil)
	return map[string]log.Logger{
		"JSON":            log.New(out, log.JSON()),
		"logfmt":          log.New(out),
		"go-kit's JSON":   kitlog.NewJSONLogger(out),
		"go-kit's logfmt": kitlog.NewLogfmtLogger(out),
		"slog's JSON":     log.FromSlog(jsonHandler),
		"slog's text":     log.FromSlog(textHandler),
	}
}

func TestRedact(t *testing.T) {
	t.Parallel()
	for name, test := range redactCases() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			for path, sink := range redactPaths(&out) {
				out.Reset()
				logger := log.Redact(sink)
				if err := logger.Log("msg", "x", test.key, test.value); err != nil {
					t.Fatal(err)
				}
				checkHidden(t, path, &out)
				if strings.HasSuffix(path, "JSON") {
					line := map[string]json.RawMessage{}
					if err := json.Unmarshal(out.Bytes(), &line); err != nil {
						t.Fatal(err)
					}
					if have := string(line[test.key]); test.want != have {
						t.Errorf("%s: want %s\nhave %s", path, test.want, have)
					}
				}
				out.Reset()
				slog.New(log.NewSlogHandler(logger)).With(test.key, test.value).WithGroup("g").Info("x", test.key, test.value)
				checkHidden(t, path+" from slog", &out)
			}
		})
	}
}

func checkHidden(t *testing.T, path string, out *bytes.Buffer) {
	t.Helper()
	if out.Len() == 0 || strings.Contains(out.String(), secret) {
		t.Errorf("%s: a secret, or nothing, in %s", path, out.String())
	}
}

// New alone knows no keys; what a type says about itself it heeds all the same.
func TestNewHidesTaggedFields(t *testing.T) {
	t.Parallel()
	for _, opts := range [][]log.WriterOption{nil, {log.JSON()}} {
		var out bytes.Buffer
		logger := log.New(&out, opts...)
		_ = logger.Log("v", theCard(), "all", []any{*theCard(), speaking{"Ann", secret}, byValue{secret}}, "s", speaking{"Ann", secret}, "l", byValue{secret})
		checkHidden(t, "New", &out)
	}
}

func TestRedactKeysAppend(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	logger := log.Redact(log.New(&out, log.NoTime()), log.RedactKeys("Tax-ID", ""), log.RedactKeys("iban"), log.AllowKeys("next_page_token"))
	_ = logger.Log("taxid", 1, "homeIBAN", 2, "password", 3, "next_page_token", 4, "page_token", 5, "k", struct{ TaxID int }{6})
	want := `taxid=[redacted] homeIBAN=[redacted] password=[redacted] next_page_token=4 page_token=[redacted] k="{\"TaxID\":\"[redacted]\"}"` + "\n"
	if have := out.String(); want != have {
		t.Errorf("want %s\nhave %s", want, have)
	}
}

func TestSecretKeys(t *testing.T) {
	t.Parallel()
	const isSecret, isShown = true, false
	for key, want := range map[string]bool{
		"password": isSecret, "passwords": isSecret, "password2": isSecret, "password_hash": isSecret, "passwd1": isSecret,
		"new_password_confirmation": isSecret, "secret": isSecret, "secrets": isSecret, "secretValue": isSecret,
		"token": isSecret, "tokens": isSecret, "token2": isSecret, "Tokens_10": isSecret, "cookies": isSecret, "Set-Cookie2": isSecret,
		"x-api-keys": isSecret, "auth": isSecret, "X-Auth": isSecret, "pin": isSecret, "userPIN": isSecret, "credential": isSecret,
		"credentials": isSecret, "sha256": isSecret, "disk_s3": isSecret, "homeAddress2": isSecret, "passcode": isSecret, "api.keys": isShown,
		"tokens_used": isShown, "author": isShown, "authors": isShown, "pinned": isShown, "shopping": isShown, "cookie_count": isShown,
		"sha": isShown, "disks": isShown, "s": isShown, "1": isShown, "secretary": isShown, "user": isShown,
	} {
		var out bytes.Buffer
		logger := log.Redact(log.New(&out, log.NoTime()), log.RedactKeys("sha256", "s3", "address"), log.AllowKeys("Secretary"))
		_ = logger.Log(key, "v")
		if have := strings.HasSuffix(out.String(), "=[redacted]\n"); want != have {
			t.Errorf("%s: want secret %v, have %s", key, want, out.String())
		}
	}
}

func TestAllowedKeyIsStillHiddenByItsTag(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	_ = log.Redact(log.New(&out), log.AllowKeys("number")).Log("v", theCard())
	checkHidden(t, "tag", &out)
}

func TestRedactDoesNotChangeTheCallersSlice(t *testing.T) {
	t.Parallel()
	keyvals := []any{"password", secret, "v", "w"}
	_ = log.Redact(kitlog.NewNopLogger()).Log(keyvals...)
	if keyvals[1] != any(secret) {
		t.Errorf("have %v", keyvals)
	}
}

func TestRedactLeavesTheRestAsItIs(t *testing.T) {
	t.Parallel()
	err := errors.New("x")
	in := []any{"a", plain{"1", "2"}, "b", err, "c", time.Second, "d", []int{1}, 7, nil, "odd"}
	var have []any
	_ = log.Redact(kitlog.LoggerFunc(func(keyvals ...any) error { have = keyvals; return nil })).Log(in...)
	for i := range in {
		if fmt.Sprintf("%T %v", in[i], in[i]) != fmt.Sprintf("%T %v", have[i], have[i]) {
			t.Errorf("%d: want %v, have %v", i, in[i], have[i])
		}
	}
}

func TestHugeValuesAreCut(t *testing.T) {
	t.Parallel()
	var deep any = secret
	for range 1000 {
		deep = map[string]any{"a": deep}
	}
	long := make([]any, 1_000_000)
	var out bytes.Buffer
	_ = log.Redact(log.New(&out, log.JSON())).Log("deep", deep, "long", long)
	if !json.Valid(out.Bytes()) || out.Len() > 100_000 || strings.Count(out.String(), "[...]") != 2 {
		t.Errorf("%d bytes, %.1000s", out.Len(), out.String())
	}
}

// FuzzRedact nests a secret in the shapes that data names, and looks for it on all paths.
func FuzzRedact(f *testing.F) {
	for seed := range 24 {
		f.Add([]byte{byte(seed), byte(seed * 7), byte(seed * 3)})
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		value := shape(data)
		var out bytes.Buffer
		for path, sink := range redactPaths(&out) {
			for _, logger := range []log.Logger{log.Redact(sink), log.With(log.Redact(sink), "w", value)} {
				out.Reset()
				_ = logger.Log("v", value, "token", secret)
				checkHidden(t, path, &out)
				out.Reset()
				slog.New(log.NewSlogHandler(logger)).With(slog.Group("g", "v", value)).Info("x", "v", value, "token", secret)
				checkHidden(t, path+" from slog", &out)
				if strings.HasSuffix(path, "JSON") && !json.Valid(out.Bytes()) {
					t.Errorf("%s: %s", path, out.String())
				}
			}
		}
	})
}

func shape(data []byte) any {
	const limit = 40
	var v any = *theCard()
	for _, b := range data[:min(len(data), limit)] {
		switch inner := v; b % 16 {
		case 0:
			v = &inner
		case 1:
			v = []any{1, inner}
		case 2:
			v = map[string]any{"a": inner, "my_password": secret}
		case 3:
			v = order{Any: inner, Card: theCard()}
		case 4:
			v = &order{Any: inner, Next: &order{Any: theCard()}}
		case 5:
			v = [2]any{inner, speaking{"Ann", secret}}
		case 6:
			v = struct{ X, Secret any }{inner, secret}
		case 7:
			v = map[any]any{1: inner, 2.5: theCard()}
		case 8:
			v = slog.AnyValue(inner)
		case 9:
			v = slog.Any("x", inner)
		case 10:
			v = valuer{inner}
		case 11:
			v = &valuer{inner}
		case 12:
			v = []slog.Attr{slog.Any("x", inner), slog.String("token", secret)}
		case 13:
			ring := map[string]any{"inner": inner}
			ring["ring"] = ring
			v = ring
		case 14:
			v = struct {
				card

				Inner any `json:"inner,omitempty"`
			}{*theCard(), inner}
		case 15:
			v = http.Header{"Cookie": {secret}}
		}
	}
	return v
}

type valuer struct{ v any }

func (v valuer) LogValue() slog.Value { return slog.AnyValue(v.v) }

func BenchmarkRedact(b *testing.B) {
	for name, value := range map[string]any{"string": "v", "clean struct": &plain{"a", "b"}, "tagged struct": theCard()} {
		b.Run(name, func(b *testing.B) {
			logger := log.Redact(kitlog.NewNopLogger())
			b.ReportAllocs()
			for b.Loop() {
				_ = logger.Log("operation", "orders/Place", "key", value)
			}
		})
	}
}

func TestTypeWithoutSecretsAllocatesNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	logger := log.Redact(kitlog.NewNopLogger())
	keyvals := []any{"operation", "orders/Place", "v", &plain{"a", "b"}, "err", errors.New("x"), "n", 7}
	_ = logger.Log(keyvals...)
	if have := testing.AllocsPerRun(100, func() { _ = logger.Log(keyvals...) }); have != 0 {
		t.Errorf("want 0 allocations, have %v", have)
	}
}
