package house

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// Package is what the go command knows of a package. Its names are matched without regard to case.
type Package struct {
	ImportPath string   `json:"importPath"`
	Standard   bool     `json:"standard"`
	Imports    []string `json:"imports"` // what its files import, tests aside
	Deps       []string `json:"deps"`    // what it links, directly or not
}

// List returns the packages of the library's module and all that they link, by import path. It asks the go command about one platform
// and without the workspace, so that the answer is the same for everybody.
func List(ctx context.Context, root string) (map[string]Package, error) {
	cmd := exec.CommandContext(ctx, "go", "list", "-deps", "-json=ImportPath,Standard,Imports,Deps", "./...")
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "GOOS=linux", "GOARCH=amd64", "CGO_ENABLED=1", "GOWORK=off")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	output, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("house: %s: %w\n%s", cmd, err, &stderr)
	}
	packages := make(map[string]Package)
	for decoder := json.NewDecoder(bytes.NewReader(output)); ; {
		var p Package
		switch err := decoder.Decode(&p); {
		case errors.Is(err, io.EOF):
			return packages, nil
		case err != nil:
			return nil, fmt.Errorf("house: reading the answer of %s: %w", cmd, err)
		}
		packages[p.ImportPath] = p
	}
}

// Imports returns what each package of the module imports, in the form that CheckFloors takes.
func Imports(packages map[string]Package) map[string][]string {
	imports := make(map[string][]string)
	for importPath, p := range packages {
		if name, ok := strings.CutPrefix(importPath, Module+"/"); ok {
			imports[name] = p.Imports
		}
	}
	return imports
}

// heavy lists the packages of the standard library that a program notices when it links them. The others would only make the lists differ
// from one release of Go to the next.
func heavy() []string {
	return []string{
		"archive/zip", "compress/gzip", "crypto/tls", "database/sql", "debug/elf", "encoding/gob", "encoding/json", "encoding/xml",
		"expvar", "flag", "go/ast", "html/template", "log", "log/slog", "mime/multipart", "net", "net/http", "net/http/pprof", "net/rpc",
		"os/exec", "plugin", "regexp", "testing", "text/template",
	}
}

// Dependencies returns the list of what each core package links outside the standard library, and of heavy packages inside it, by the
// package's path below Module. A core package is one below the floor of the drivers that is neither internal nor a suite.
// Internal packages are not listed: they bring nothing from outside.
func Dependencies(packages map[string]Package) map[string]string {
	const drivers = 7
	lists := make(map[string]string)
	for importPath, p := range packages {
		name, ok := strings.CutPrefix(importPath, Module+"/")
		if row, known := floorOf(name); !ok || !known || row.number == 0 || row.number >= drivers || isSuite(name) {
			continue
		}
		lines := []string{}
		for _, dep := range p.Deps {
			switch {
			case strings.HasPrefix(dep, Module+"/internal/"):
			case !packages[dep].Standard:
				lines = append(lines, dep)
			case slices.Contains(heavy(), dep):
				lines = append(lines, "std "+dep)
			}
		}
		slices.Sort(lines)
		lists[name] = strings.Join(append(lines, ""), "\n")
	}
	return lists
}
