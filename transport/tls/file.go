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

var (
	errExposed = errors.New("everybody on this machine may read the private key; its mode should be 0600")
	errLoose   = errors.New("others than its owner may replace the private key; its mode should be 0600")
)

// exposed returns an error for a file that everybody may read, or that others than the owner may write. Windows has no such modes.
func exposed(path string) error {
	const readByAll, writtenByOthers = 0o004, 0o022
	info, err := os.Stat(path)
	if err != nil || runtime.GOOS == "windows" {
		return nil //nolint:nilerr // of a file that is not there nothing is exposed
	}
	mode := info.Mode().Perm()
	switch {
	case mode&readByAll != 0:
		err = errExposed
	case mode&writtenByOthers != 0:
		err = errLoose
	default:
		return nil
	}
	return fmt.Errorf("%s: %w (it is %#o)", path, err, mode)
}
