package house

import "go/ast"

// docComments asks for a comment on whatever a package exports: functions, methods, the methods of interfaces, types, constants and
// variables. For the latter two the comment may stand at the end of the line or on the group, and the only method of an interface is
// described with it.
func docComments(tree *Tree) (findings []Finding) {
	for _, file := range tree.Go {
		if file.IsTest() || file.Name.Name == "main" {
			continue
		}
		for _, decl := range file.Decls {
			for _, name := range undocumented(decl) {
				findings = append(findings, tree.at(name, "%s is exported and has no comment", name.Name))
			}
		}
	}
	return findings
}

func undocumented(decl ast.Decl) (names []*ast.Ident) {
	switch d := decl.(type) {
	case *ast.FuncDecl:
		if d.Doc == nil && d.Name.IsExported() && (d.Recv == nil || receiverIsExported(d.Recv)) {
			names = append(names, d.Name)
		}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch s := spec.(type) {
			case *ast.TypeSpec:
				names = append(names, undocumentedType(d, s)...)
			case *ast.ValueSpec:
				names = append(names, undocumentedValue(d, s)...)
			}
		}
	}
	return names
}

func undocumentedType(decl *ast.GenDecl, spec *ast.TypeSpec) (names []*ast.Ident) {
	if !spec.Name.IsExported() {
		return nil
	}
	if spec.Doc == nil && (decl.Doc == nil || decl.Lparen.IsValid()) {
		names = append(names, spec.Name)
	}
	iface, ok := spec.Type.(*ast.InterfaceType)
	if !ok || iface.Methods.NumFields() == 1 {
		return names
	}
	for _, method := range iface.Methods.List {
		if method.Doc == nil && len(method.Names) > 0 && method.Names[0].IsExported() {
			names = append(names, method.Names[0])
		}
	}
	return names
}

func undocumentedValue(decl *ast.GenDecl, spec *ast.ValueSpec) (names []*ast.Ident) {
	if spec.Doc != nil || spec.Comment != nil || decl.Doc != nil {
		return nil
	}
	for _, name := range spec.Names {
		if name.IsExported() {
			names = append(names, name)
		}
	}
	return names
}

func receiverIsExported(receiver *ast.FieldList) bool {
	expr := receiver.List[0].Type
	for {
		switch e := expr.(type) {
		case *ast.StarExpr:
			expr = e.X
		case *ast.IndexExpr:
			expr = e.X
		case *ast.IndexListExpr:
			expr = e.X
		case *ast.Ident:
			return e.IsExported()
		default:
			return false
		}
	}
}
