package testserver

import (
	"os"
	"os/exec"
	"testing"
)

// Installed returns the path of a program that a package of Debian holds: the one in the search path, or else the first of those that
// exists. Where there is none the test is skipped with a text that says so; under CI=true it fails.
func Installed(t testing.TB, program, debian string, paths ...string) string {
	t.Helper()
	for _, path := range append([]string{program}, paths...) {
		if found, err := exec.LookPath(path); err == nil {
			return found
		}
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("testserver: %s is missing: apt-get install %s", program, debian)
	}
	t.Skipf("*** not tested: %s is missing: apt-get install %s", program, debian)
	return ""
}
