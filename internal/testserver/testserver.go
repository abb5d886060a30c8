// Package testserver starts the real servers that tests speak to, each as a process of its own on free ports, with a directory of its own,
// and ends them with the test.
package testserver

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// Program returns the path of a program of tools/programs, which is built when it is not there yet. Where that cannot be done, as without a
// network, the test is skipped with a text that says so; under CI=true it fails.
func Program(t testing.TB, name string) string {
	t.Helper()
	_, file, _, ok := runtime.Caller(0)
	if !ok || !filepath.IsAbs(file) {
		t.Fatal("testserver: the directory of the source is not known; test without -trimpath")
	}
	script := filepath.Join(filepath.Dir(file), "..", "..", "tools", "program")
	cmd := exec.CommandContext(t.Context(), script, name) //nolint:gosec // the script of this repository
	var stderr strings.Builder
	cmd.Stderr = &stderr
	path, err := cmd.Output()
	switch {
	case err == nil:
		return strings.TrimSpace(string(path))
	case os.Getenv("CI") == "true":
		t.Fatalf("testserver: %s is missing, and could not be built: %v\n%s", name, err, stderr.String())
	}
	t.Skipf("*** not tested: %s is missing, and could not be built: %v\n%s", name, err, stderr.String())
	return ""
}

// Installed returns the path of a program, or of a file whose path is given, of that package of Debian's. Where it is missing the test is
// skipped with a text that says so; under CI=true it fails.
func Installed(t testing.TB, pkg, file string) string {
	t.Helper()
	path, err := find(file)
	switch {
	case err == nil:
		return path
	case os.Getenv("CI") == "true":
		t.Fatalf("testserver: %s is missing: %v; as root: make apt, or apt-get install --no-install-recommends %s", file, err, pkg)
	}
	t.Skipf("*** not tested: %s is missing: %v; as root: make apt, or apt-get install --no-install-recommends %s", file, err, pkg)
	return ""
}

// find looks in the PATH, and where Debian has servers, where a user's PATH need not lead.
func find(file string) (string, error) {
	if filepath.IsAbs(file) {
		_, err := os.Stat(file)
		return file, err
	}
	path, err := exec.LookPath(file)
	if err != nil {
		if path, elsewhere := exec.LookPath(filepath.Join("/usr/sbin", file)); elsewhere == nil {
			return path, nil
		}
	}
	return path, err
}
