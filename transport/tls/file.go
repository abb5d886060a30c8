package tlsconfig

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"
	"time"
)

const (
	// maxFile is how long a file may be. Bundles of all public roots are a quarter of a MiB.
	maxFile = 4 << 20

	// A file that has been changed after this, before it was looked at, may be changed again without a sign of it in its time, which some
	// file systems count in seconds.
	settled = 3 * time.Second
	// trusted is how long a file's time and size are believed. Then it is read again.
	trusted = 10 * time.Second
)

// stamp is what tells, without reading it, whether a file may have changed. A path that leads elsewhere by now, as that of a symbolic link
// that was replaced, leads to another file.
type stamp struct {
	info fs.FileInfo
	at   time.Time // when it was looked at
}

// same says whether the file is surely as it was then.
func (s stamp) same(info fs.FileInfo, now time.Time) bool {
	return s.info != nil && os.SameFile(s.info, info) && s.info.Size() == info.Size() && s.info.ModTime().Equal(info.ModTime()) &&
		s.at.Sub(info.ModTime()) > settled && now.Sub(s.at) < trusted
}

// look returns what there is to know of a file without reading it.
func look(path string) (fs.FileInfo, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s: it is no regular file", path)
	case info.Size() > maxFile:
		return nil, fmt.Errorf("%s: it has %d bytes, want %d at most", path, info.Size(), maxFile)
	}
	return info, nil
}

// read reads a file that look has found well.
func read(path string) ([]byte, error) {
	f, err := os.Open(path) //nolint:gosec // the user's
	if err != nil {
		return nil, err
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(content) > maxFile {
		err = fmt.Errorf("%s: it has more than %d bytes", path, maxFile)
	}
	return content, err
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
