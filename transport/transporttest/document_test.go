package transporttest_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/transport/transporttest"
)

const document = "../../docs/transports.md"

// update says that the document is to be written.
var update = flag.Bool("update", false, "write the tables of "+document)

// differences returns what the harnesses declare, as the document shows it.
func differences() string {
	type row struct{ check, kinds, have, reason string }
	var rows []row
	ways := make(map[row][]string)
	for _, h := range harnesses("") {
		for _, d := range h.Differences {
			r := row{d.Check, shapes(d.Kinds), strings.TrimPrefix(d.Have, "have "), d.Reason}
			if ways[r] == nil {
				rows = append(rows, r)
			}
			ways[r] = append(ways[r], h.Name)
		}
	}
	var b strings.Builder
	b.WriteString("| over | check | shapes | what is seen | since |\n| --- | --- | --- | --- | --- |\n")
	for _, r := range rows {
		fmt.Fprintf(&b, "| %s | `%s` | %s | %s | %s |\n", strings.Join(ways[r], "; "), r.check, r.kinds, r.have, r.reason)
	}
	return b.String()
}

func shapes(kinds []endpoint.Kind) string {
	if len(kinds) == 0 {
		return "all"
	}
	names := make([]string, len(kinds))
	for i, kind := range kinds {
		names[i] = kind.String()
	}
	return strings.Join(names, ", ")
}

// contract returns what each check is about.
func contract() string {
	var b strings.Builder
	b.WriteString("| check | what holds |\n| --- | --- |\n")
	for _, clause := range transporttest.Contract() {
		fmt.Fprintf(&b, "| `%s` | %s |\n", clause.Check, clause.Text)
	}
	return b.String()
}

func TestTheDocumentHasTheTablesOfTheSuite(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	want := string(text)
	for name, table := range map[string]string{"differences": differences(), "clauses": contract()} {
		begin := "<!-- The " + name + " are written by go test ./transport/transporttest -run Document -update -->\n"
		end := "<!-- end of the " + name + " -->\n"
		before, rest, found := strings.Cut(want, begin)
		_, after, ended := strings.Cut(rest, end)
		if !found || !ended {
			t.Fatalf("%s has no place for the %s", document, name)
		}
		want = before + begin + "\n" + table + "\n" + end + after
	}
	switch {
	case want == string(text):
	case !*update:
		t.Errorf("%s does not have the tables of the suite; write them with -update", document)
	default:
		if err := os.WriteFile(document, []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
