package transporttest_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/ashlar-go/ashlar/endpoint"
)

const (
	document = "../../docs/transports.md"
	begin    = "<!-- The table is written by go test ./transport/transporttest -run Document -update -->\n"
	end      = "<!-- end of the table -->\n"
)

// update says that the document is to be written.
var update = flag.Bool("update", false, "write the table of differences into "+document)

// table returns the differences that the harnesses declare, as the document shows them.
func table() string {
	type row struct{ check, kinds, have, reason string }
	var rows []row
	ways := make(map[row][]string)
	for _, h := range harnesses("") {
		for _, d := range h.Differences {
			r := row{d.Check, shapes(d.Kinds), d.Have, d.Reason}
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

func TestTheDifferencesAreInTheDocument(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(text), begin)
	have, after, ended := strings.Cut(rest, end)
	if !found || !ended {
		t.Fatalf("%s has no place for the table", document)
	}
	want := "\n" + table() + "\n"
	if want == have {
		return
	}
	if *update {
		if err := os.WriteFile(document, []byte(before+begin+want+end+after), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	t.Errorf("%s does not have the differences that the harnesses declare; write it with -update. Want\n%s\nhave\n%s", document, want, have)
}
