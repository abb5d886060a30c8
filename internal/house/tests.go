package house

import (
	"go/ast"
	"go/token"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// leakChecks asks for a TestMain that calls goleak.VerifyTestMain wherever there is more than benchmarks.
func leakChecks(tree *Tree) (findings []Finding) {
	checked := make(map[string]bool)
	for _, file := range tree.Go {
		if file.IsTest() && hasTests(file) {
			checked[file.Dir()] = checked[file.Dir()] || verifiesLeaks(file)
		}
	}
	for dir, ok := range checked {
		if !ok {
			findings = append(findings, Finding{Path: dir, Text: "the tests have no TestMain that calls goleak.VerifyTestMain"})
		}
	}
	return findings
}

func hasTests(file *File) bool {
	return slices.ContainsFunc(file.Decls, func(decl ast.Decl) bool {
		f, ok := decl.(*ast.FuncDecl)
		return ok && f.Recv == nil && (strings.HasPrefix(f.Name.Name, "Test") ||
			strings.HasPrefix(f.Name.Name, "Example") || strings.HasPrefix(f.Name.Name, "Fuzz"))
	})
}

func verifiesLeaks(file *File) bool {
	goleak, found := file.imported("go.uber.org/goleak"), false
	for _, decl := range file.Decls {
		f, ok := decl.(*ast.FuncDecl)
		if !ok || f.Name.Name != "TestMain" {
			continue
		}
		ast.Inspect(f, func(node ast.Node) bool {
			call, ok := node.(*ast.CallExpr)
			found = found || ok && isCall(call, goleak, "VerifyTestMain")
			return !found
		})
	}
	return found
}

// noSleeps refuses time.Sleep in tests, except inside a bubble of synctest, where it moves a clock that is not the real one.
func noSleeps(tree *Tree) (findings []Finding) {
	for _, file := range tree.Go {
		if !file.IsTest() {
			continue
		}
		clock, synctest := file.imported("time"), file.imported("testing/synctest")
		ast.Inspect(file.File, func(node ast.Node) bool {
			call, ok := node.(*ast.CallExpr)
			if !ok {
				return true
			}
			if isCall(call, clock, "Sleep") {
				findings = append(findings, tree.at(call, "time.Sleep in a test; wait for what happens, or use testing/synctest"))
			}
			return !isCall(call, synctest, "Test")
		})
	}
	return findings
}

// noFixedPorts refuses tests that listen on a port that is written down.
func noFixedPorts(tree *Tree) (findings []Finding) {
	for _, file := range tree.Go {
		if !file.IsTest() {
			continue
		}
		ast.Inspect(file.File, func(node ast.Node) bool {
			for _, expr := range addresses(node) {
				if hasFixedPort(expr) {
					findings = append(findings, tree.at(expr, "a fixed port in a test; listen on port 0"))
				}
			}
			return true
		})
	}
	return findings
}

// addresses returns what the node listens on: arguments of functions such as net.Listen, and the field Addr.
func addresses(node ast.Node) []ast.Expr {
	switch n := node.(type) {
	case *ast.CallExpr:
		if f, ok := n.Fun.(*ast.SelectorExpr); ok && strings.HasPrefix(f.Sel.Name, "Listen") {
			return n.Args
		}
	case *ast.KeyValueExpr:
		if key, ok := n.Key.(*ast.Ident); ok && key.Name == "Addr" {
			return []ast.Expr{n.Value}
		}
	}
	return nil
}

func hasFixedPort(expr ast.Expr) bool {
	literal, ok := expr.(*ast.BasicLit)
	if !ok || literal.Kind != token.STRING {
		return false
	}
	text, err := strconv.Unquote(literal.Value)
	fixed := regexp.MustCompile(`^(localhost|[0-9.]+|\[[0-9a-fA-F:]*\])?:[1-9][0-9]*$`)
	return err == nil && fixed.MatchString(text)
}
