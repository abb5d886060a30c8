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
	"path/filepath"
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

// Modules returns the directories of the modules that go.work names, from root.
func Modules(ctx context.Context, root string) ([]string, error) {
	cmd := exec.CommandContext(ctx, "go", "work", "edit", "-json", "go.work")
	cmd.Dir = root
	output, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("house: %s: %w", cmd, err)
	}
	var work struct {
		Use []struct {
			DiskPath string `json:"diskPath"` // matched without regard to case
		} `json:"use"`
	}
	if err := json.Unmarshal(output, &work); err != nil {
		return nil, fmt.Errorf("house: reading the answer of %s: %w", cmd, err)
	}
	dirs := make([]string, len(work.Use))
	for n, use := range work.Use {
		dirs[n] = filepath.Join(root, filepath.FromSlash(use.DiskPath))
	}
	return dirs, nil
}

// List returns the packages of the module in dir and all that they link, by import path. It asks the go command about one platform and
// without the workspace, so that the answer is the same for everybody.
func List(ctx context.Context, dir string) (map[string]Package, error) {
	cmd := exec.CommandContext(ctx, "go", "list", "-deps", "-json=ImportPath,Standard,Imports,Deps", "./...")
	cmd.Dir = dir
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

// Imports returns what each package of the repository imports, in the form that CheckFloors takes.
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
