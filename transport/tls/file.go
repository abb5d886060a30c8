package tlsconfig

import (
	"errors"
	"fmt"
	"os"
	"runtime"

	"github.com/ashlar-go/ashlar/internal/filewatch"
)

// part is what is read from files that belong together, with what was told of it.
type part[V any] struct {
	*filewatch.Part[V]

	exposed, ended bool // what was reported of what is in use
}

func newPart[V any](files []string, parse filewatch.Parse[V]) *part[V] {
	return &part[V]{Part: filewatch.New(files, parse)}
}

// trouble returns the failure that lasts.
func (p *part[V]) trouble() error {
	if p == nil {
		return nil
	}
	return p.Trouble()
}

var errExposed = errors.New("everybody on this machine may read the private key; its mode should be 0600")

// exposed returns an error for a file that everybody may read. Windows has no such modes.
func exposed(path string) error {
	const byOthers = 0o004
	info, err := os.Stat(path)
	if err != nil || runtime.GOOS == "windows" || info.Mode().Perm()&byOthers == 0 {
		return nil //nolint:nilerr // of a file that is not there nothing is exposed
	}
	return fmt.Errorf("%s: %w (it is %#o)", path, errExposed, info.Mode().Perm())
}
