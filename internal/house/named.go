package house

import (
	"bytes"
	"go/ast"
	"path"
	"regexp"
	"strings"
)

// namedTests refuses documents that name a test which there is none of any more.
func namedTests(tree *Tree) (findings []Finding) {
	tests := map[string]bool{}
	for _, file := range tree.Go {
		if !file.IsTest() {
			continue
		}
		for _, decl := range file.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok && f.Recv == nil {
				tests[f.Name.Name] = true
			}
		}
	}
	named := regexp.MustCompile("`((?:Test|Fuzz|Benchmark)[A-Z]\\w*)`")
	for name, data := range tree.Texts {
		if path.Ext(name) != ".md" || strings.HasPrefix(name, "CHANGELOG") {
			continue
		}
		for _, match := range named.FindAllSubmatchIndex(data, -1) {
			if test := string(data[match[2]:match[3]]); !tests[test] {
				findings = append(findings, Finding{name, 1 + bytes.Count(data[:match[0]], []byte("\n")), "there is no test " + test})
			}
		}
	}
	return findings
}
