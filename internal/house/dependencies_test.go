package house_test

import (
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ashlar-go/ashlar/internal/house"
)

var update = flag.Bool("update", false, "write the dependency lists instead of comparing them")

// TestDependencies compares what each core package links with the lists in testdata/deps, so that a new dependency is seen in the change
// that brings it. `make generate` writes the lists.
func TestDependencies(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("the lists are those of the older supported Go release, and the short tests run with the newer one")
	}
	packages, err := house.List(t.Context(), root)
	if err != nil {
		t.Fatal(err)
	}
	want := house.Dependencies(packages)
	if len(want) == 0 {
		t.Fatal("no core package was found")
	}
	dir := filepath.Join("testdata", "deps")
	if *update {
		write(t, dir, want)
	}
	have := read(t, dir)
	for name, list := range want {
		if have[name] != list {
			t.Errorf("%s: the committed list is out of date, run make generate; want\n%s\nhave\n%s", name, list, have[name])
		}
		delete(have, name)
	}
	for name := range have {
		t.Errorf("%s: there is a list and no such core package; run make generate", name)
	}
}

func TestDependenciesListsWhatCoreLinks(t *testing.T) {
	t.Parallel()
	const m = house.Module + "/"
	packages := map[string]house.Package{
		"fmt":                 {ImportPath: "fmt", Standard: true},
		"net/http":            {ImportPath: "net/http", Standard: true},
		"example.com/big":     {ImportPath: "example.com/big"},
		m + "internal/x":      {ImportPath: m + "internal/x"},
		m + "log":             {ImportPath: m + "log", Deps: []string{"net/http", "fmt", "example.com/big", m + "internal/x", m + "status"}},
		m + "sd/consul":       {ImportPath: m + "sd/consul"},
		m + "codec/codectest": {ImportPath: m + "codec/codectest"},
	}
	have := house.Dependencies(packages)
	if want := "example.com/big\n" + m + "status\nstd net/http\n"; len(have) != 1 || have["log"] != want {
		t.Errorf("want log alone, with\n%s\nhave %q", want, have)
	}
}

func write(t *testing.T, dir string, lists map[string]string) {
	t.Helper()
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	for name, list := range lists {
		file := filepath.Join(dir, filepath.FromSlash(name)+".txt")
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(list), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func read(t *testing.T, dir string) map[string]string {
	t.Helper()
	lists := make(map[string]string)
	err := filepath.WalkDir(dir, func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, strings.TrimSuffix(file, ".txt"))
		lists[filepath.ToSlash(name)] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return lists
}
