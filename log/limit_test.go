package log_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/ashlar-go/ashlar/log"
)

const (
	limit   = 64 << 10
	tooMuch = 1 << 20
)

type (
	named string
	raw   struct{ n int }
)

func (r raw) MarshalJSON() ([]byte, error) {
	return []byte(`{"a":"` + strings.Repeat("x", r.n) + `"}`), nil
}

func TestLongValuesAreCut(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", tooMuch)
	many := make(map[string]string)
	for i := range 100 {
		many[fmt.Sprint(i)] = long
	}
	for name, test := range map[string]struct {
		value any
		most  int
	}{
		"string":               {long, limit},
		"bytes":                {[]byte(long), limit},
		"named string":         {named(long), limit},
		"pointer":              {&long, limit},
		"error":                {errors.New(long), limit},
		"Stringer":             {stringer(long), limit},
		"LogValuer":            {slog.StringValue(long), limit},
		"no UTF-8":             {strings.Repeat("\xbf", tooMuch), 6 * limit},
		"JSON":                 {raw{tooMuch}, limit},
		"raw JSON":             {json.RawMessage(`["` + long + `"]`), limit},
		"key of a map":         {map[string]int{long: 1}, limit},
		"struct as a key":      {map[struct{ A string }]int{{long}: 1}, limit},
		"strings":              {[]string{long, long}, 2 * limit},
		"bytes in a struct":    {struct{ A []byte }{[]byte(long)}, limit},
		"JSON in a struct":     {struct{ A any }{raw{tooMuch}}, limit},
		"raw JSON in a struct": {struct{ A any }{json.RawMessage(`"` + long + `"`)}, limit},
		"members":              {many, 5 * limit},
		"elements":             {make([]int, 1_000_000), limit},
		"members of a group":   {slog.GroupValue(make([]slog.Attr, 1_000_000)...), limit},
		"secrets":              {secrets(100_000), 3 * limit},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for path, opts := range map[string][]log.WriterOption{"logfmt": {log.NoTime()}, "JSON": {log.NoTime(), log.JSON()}} {
				var out bytes.Buffer
				if err := log.Redact(log.New(&out, opts...)).Log("k", test.value); err != nil {
					t.Fatal(path, err)
				}
				if have := out.Len(); have < 1000 || have > test.most+test.most/2 {
					t.Errorf("%s: %d bytes, want up to %d and what JSON adds", path, have, test.most)
				}
				if have := strings.Count(out.String(), "[...]"); have == 0 {
					t.Errorf("%s: nothing shows that there was more: %.100s", path, out.String())
				}
				if path == "JSON" && !json.Valid(out.Bytes()) {
					t.Errorf("no JSON: %.100s", out.String())
				}
			}
		})
	}
}

func secrets(n int) map[string]int {
	m := make(map[string]int)
	for i := range n {
		m[fmt.Sprint("password", i)] = i
	}
	return m
}

func TestLongKeyIsCutAndStillSecret(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	_ = log.Redact(log.New(&out, log.NoTime())).Log(strings.Repeat("k", tooMuch)+"token", secret)
	want := strings.Repeat("k", 1024) + "[...]=[redacted]\n"
	if have := out.String(); want != have {
		t.Errorf("want %s, have %.2000s", want, have)
	}
}

func TestCutKeepsCharactersWhole(t *testing.T) {
	t.Parallel()
	for shift := range 4 {
		var out bytes.Buffer
		text := strings.Repeat("x", shift) + strings.Repeat("\U0001F9F1", limit)
		_ = log.Redact(log.New(&out, log.NoTime())).Log("k", slog.StringValue(text)) // which both of them cut
		have, ended := strings.CutSuffix(out.String(), "[...]\n")
		have = strings.TrimPrefix(have, "k=")
		if !ended || !utf8.ValidString(have) || !strings.HasPrefix(text, have) || len(have) > limit || len(have) <= limit-utf8.UTFMax {
			t.Errorf("%d: %d bytes, ending in %q", shift, len(have), have[len(have)-10:])
		}
	}
}

func TestTextUpToTheLimitIsWhole(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	want := strings.Repeat("x", limit)
	_ = log.New(&out, log.NoTime(), log.JSON()).Log("K", want, "V", []string{want})
	var line struct {
		K string
		V []string
	}
	if err := json.Unmarshal(out.Bytes(), &line); err != nil || line.K != want || line.V[0] != want {
		t.Errorf("have %d bytes, %v", out.Len(), err)
	}
}

// seen counts how many keys are looked at.
type seen struct {
	n    int
	read *int
}

func (s seen) String() string {
	*s.read++
	return fmt.Sprint("key", s.n)
}

func TestOfALargeMapOnlyAPartIsRead(t *testing.T) {
	t.Parallel()
	const members, most = 50_000, 5000
	var (
		out  bytes.Buffer
		read int
	)
	large := make(map[seen]int)
	for i := range members {
		large[seen{i, &read}] = i
	}
	_ = log.New(&out).Log("k", large)
	if read < 1000 || read > most {
		t.Errorf("want at most %d of %d keys read, have %d", most, members, read)
	}
}
