package authz_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ashlar-go/ashlar/auth/authz"
)

const file = `{"rules": [
	{"name": "staff", "effect": "allow", "operations": ["orders/*"], "roles": ["staff"], "scopes": ["write"], "priority": 10},
	{"name": "health", "effect": "allow", "operations": ["health/Check"], "who": "anybody"}
]}`

func TestLoad(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "rules.json")
	if _, err := authz.Load(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("want ErrNotExist, have %v", err)
	}
	for _, test := range []struct{ text, want string }{
		{file, ""},
		{"[]", "line 1: want an object"},
		{"", "unexpected EOF"},
		{"null", "want an object"},
		{"{}", "rules is missing"},
		{`{"rules": []}`, "there are no rules"},
		{`{"rules": null}`, "want an array"},
		{`{"Rules": []}`, `no member "Rules"`},
		{`{"rules": [],` + "\n" + `"rules": []}`, `line 2: the member "rules" is there twice`},
		{file + "{}", "something after the end"},
		{file + "x", "something after the end"},
		{strings.Replace(file, `"effect"`, `"Effect"`, 1), `line 2: rule "staff": there is no member "Effect"`},
		{strings.Replace(file, `"who": "anybody"`, `"who": "anybody", "who": "anybody"`, 1), `line 3: the member "who" is there twice`},
		{strings.Replace(file, `["staff"]`, `"staff"`, 1), `rule "staff": roles: want an array`},
		{strings.Replace(file, `["staff"]`, `[]`, 1), `rule "staff": roles: the list is empty`},
		{strings.Replace(file, `["staff"]`, `["staff",]`, 1), "line 2"},
		{strings.Replace(file, `["staff"]`, `[["staff"]]`, 1), "want a string"},
		{strings.Replace(file, `"anybody"`, `""`, 1), `rule "health": who: want a string that is not empty`},
		{strings.Replace(file, `"anybody"`, `null`, 1), `rule "health": who: want a string that is not empty`},
		{strings.Replace(file, "10", "1.5", 1), "priority: want a whole number"},
		{strings.Replace(file, "10", `"10"`, 1), "priority: want a number"},
		{strings.Replace(file, "10", "99999999999999999999", 1), "priority: want a whole number"},
		{strings.Replace(file, `"health",`, `"staff",`, 1), `rule 2 ("staff"): there is another`},
		{strings.Replace(file, "health/", "\xff/", 1), "no UTF-8"},
		{file[:len(file)-3], "line 3"}, // the rest of the words are encoding/json's, of the release of Go
		{file + strings.Repeat(" ", authz.MaxFile), "more than 1048576 bytes"},
		{strings.Replace(file, `["staff"]`, `["staff"`+strings.Repeat(`,"x"`, authz.MaxList)+"]", 1), "more than 100"},
		{`{"rules": [{}` + strings.Repeat(",{}", authz.MaxRules) + "]}", "more than 10000 rules"},
	} {
		if err := os.WriteFile(path, []byte(test.text), 0o600); err != nil {
			t.Fatal(err)
		}
		r, err := authz.Load(path)
		if test.want == "" {
			if err != nil || !r.Explain("orders/x", who("staff", "write")).Allowed || !r.Explain("health/Check", nil).Allowed {
				t.Errorf("%.300s: have %v", test.text, err)
			}
			continue
		}
		if r != nil || err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%.300s: want %q, have %v", test.text, test.want, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(file))
	f.Add([]byte(`{"rules":[{"name":"a","effect":"deny","operations":["*"],"who":"authenticated","priority":-3}]}`))
	f.Add([]byte(`{"rules":[{"name":"\ud800"`))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := authz.Parse(data)
		if (r == nil) == (err == nil) {
			t.Fatalf("want rules or an error, have %v and %v", r, err)
		}
		if again, err2 := authz.Parse(data); (again == nil) != (r == nil) || (err2 == nil) != (err == nil) {
			t.Fatal("twice the same is not the same")
		}
		if d := r.Explain("orders/Place", nil); d.Allowed && d.Rule == "" {
			t.Fatalf("allowed by no rule: %v", d)
		}
	})
}
