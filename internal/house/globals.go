package house

import (
	"go/ast"
	"go/token"
	"slices"
	"strings"
)

// noInit refuses init functions: whatever a package does, main asks for it.
func noInit(tree *Tree) (findings []Finding) {
	for _, file := range tree.Go {
		for _, decl := range file.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
				findings = append(findings, tree.at(f, "init runs unasked; make a value that main builds"))
			}
		}
	}
	return findings
}

// noMutableGlobals refuses variables at package level that can be a registry, a default or a switch for the whole process: maps, channels,
// locks and atomics, and exported variables other than sentinel errors. Tables (arrays and slices), pools and sentinels pass.
func noMutableGlobals(tree *Tree) (findings []Finding) {
	for _, file := range tree.Go {
		if file.IsTest() {
			continue
		}
		for _, decl := range file.Decls {
			d, ok := decl.(*ast.GenDecl)
			if !ok || d.Tok != token.VAR {
				continue
			}
			for _, spec := range d.Specs {
				findings = append(findings, mutable(tree, spec)...)
			}
		}
	}
	return findings
}

func mutable(tree *Tree, spec ast.Spec) (findings []Finding) {
	value, ok := spec.(*ast.ValueSpec)
	if !ok {
		return nil
	}
	for _, name := range value.Names {
		if name.IsExported() && !strings.HasPrefix(name.Name, "Err") {
			findings = append(findings, tree.at(name, "%s can be changed by anybody; make it a constant or a function", name.Name))
		}
	}
	if slices.ContainsFunc(append([]ast.Expr{value.Type}, value.Values...), holdsState) {
		findings = append(findings, tree.at(value, "%s is state of the whole process; make it part of a value that main builds",
			value.Names[0].Name))
	}
	return findings
}

// holdsState reports whether expr is, or makes, something whose contents change.
func holdsState(expr ast.Expr) bool {
	switch e := expr.(type) {
	case *ast.MapType, *ast.ChanType:
		return true
	case *ast.CompositeLit:
		return holdsState(e.Type)
	case *ast.UnaryExpr:
		return holdsState(e.X)
	case *ast.StarExpr:
		return holdsState(e.X)
	case *ast.IndexExpr: // such as atomic.Pointer[T]
		return holdsState(e.X)
	case *ast.CallExpr:
		name, ok := e.Fun.(*ast.Ident)
		return ok && (name.Name == "make" || name.Name == "new") && len(e.Args) > 0 && holdsState(e.Args[0])
	case *ast.SelectorExpr:
		pkg, ok := e.X.(*ast.Ident)
		return ok && (pkg.Name == "atomic" || pkg.Name == "sync" && e.Sel.Name != "Pool")
	}
	return false
}
