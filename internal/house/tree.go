package house

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"strings"
)

// Tree is the source of the repository.
type Tree struct {
	Go    []*File           // every Go file that was written by hand
	Texts map[string][]byte // every file that is text, by path
	set   *token.FileSet
}

// File is a Go file.
type File struct {
	*ast.File

	Path  string
	Lines int
}

// Load reads the files below root, except in directories that the go command passes over.
func Load(root fs.FS) (*Tree, error) {
	tree := &Tree{Texts: make(map[string][]byte), set: token.NewFileSet()}
	err := fs.WalkDir(root, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if ignored(entry.Name()) {
				return fs.SkipDir
			}
			return nil
		}
		if !entry.Type().IsRegular() {
			return nil
		}
		data, err := fs.ReadFile(root, name)
		if err != nil {
			return fmt.Errorf("house: %w", err)
		}
		return tree.add(name, data)
	})
	if err != nil {
		return nil, fmt.Errorf("house: reading the source: %w", err)
	}
	return tree, nil
}

// ignored reports whether a directory holds no source; .ci does.
func ignored(dir string) bool {
	return dir == "testdata" || dir == "node_modules" || dir != "." && dir != ".ci" && strings.HasPrefix(dir, ".")
}

func (t *Tree) add(name string, data []byte) error {
	const probed = 8000 // as git does to tell text from binary
	if bytes.IndexByte(data[:min(len(data), probed)], 0) >= 0 {
		return nil
	}
	t.Texts[name] = data
	if path.Ext(name) != ".go" {
		return nil
	}
	file, err := parser.ParseFile(t.set, name, data, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return fmt.Errorf("house: %w", err)
	}
	if !ast.IsGenerated(file) {
		t.Go = append(t.Go, &File{Path: name, Lines: bytes.Count(data, []byte("\n")), File: file})
	}
	return nil
}

// at returns a Finding at the place of the node.
func (t *Tree) at(node ast.Node, format string, args ...any) Finding {
	position := t.set.Position(node.Pos())
	return Finding{position.Filename, position.Line, fmt.Sprintf(format, args...)}
}

// IsTest reports whether the file belongs to a test.
func (f *File) IsTest() bool { return strings.HasSuffix(f.Path, "_test.go") }

// Dir returns the directory of the file.
func (f *File) Dir() string { return path.Dir(f.Path) }

// imported returns the name under which the file imports the package, "" when it does not.
func (f *File) imported(importPath string) string {
	for _, spec := range f.Imports {
		if strings.Trim(spec.Path.Value, `"`) != importPath {
			continue
		}
		if spec.Name != nil {
			return spec.Name.Name
		}
		return path.Base(importPath)
	}
	return ""
}

// isCall reports whether the call is of name in the package that the file imports as pkg.
func isCall(call *ast.CallExpr, pkg, name string) bool {
	selector, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || pkg == "" || selector.Sel.Name != name {
		return false
	}
	x, ok := selector.X.(*ast.Ident)
	return ok && x.Name == pkg
}
