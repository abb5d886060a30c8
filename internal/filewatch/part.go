// Package filewatch tells when files that belong together have changed, and takes them as a whole or not at all, for what reads them again
// while the program runs.
package filewatch

import (
	"crypto/sha256"
	"time"
)

// Parse makes of the contents of files what is used.
type Parse[V any] func(files []string, contents [][]byte, now time.Time) (*V, error)

// Part is what is read from files that belong together: it changes as a whole, or not at all. It is for one goroutine at a time.
type Part[V any] struct {
	files []string
	parse Parse[V]

	stamps []stamp
	sum    [sha256.Size]byte // of the contents when they were last read
	taken  [sha256.Size]byte // of those in use
	failed bool              // whether the last look failed
	loads  int               // how often it was taken
	err    error             // the failure that was reported, while it lasts
}

// New returns a Part of the files. Parse makes of their contents what is used.
func New[V any](files []string, parse Parse[V]) *Part[V] {
	return &Part[V]{files: files, parse: parse, stamps: make([]stamp, len(files))}
}

// Check looks at the files. It returns what is in them where that is new, nil where it is what was taken last. Unless it is to be quick, it
// takes nothing, and says of nothing that it is wrong, which was not the same at the time before: files that belong together are written
// one after the other.
func (p *Part[V]) Check(now time.Time, quick bool) (value *V, err error) {
	same, contents, err := p.read(now)
	switch {
	case err != nil:
		first := !p.failed
		if p.failed = true; first && !quick {
			err = nil
		}
		return nil, err
	case p.sum == p.taken:
		p.failed = false
		return nil, nil //nolint:nilnil // nothing new, and nothing wrong
	case !quick && !same:
		return nil, nil //nolint:nilnil // as above
	}
	if value, err = p.parse(p.files, contents, now); err != nil {
		p.failed = true
		return nil, err
	}
	p.taken, p.failed = p.sum, false
	p.loads++
	return value, nil
}

// read reads the files where it must: when they may have changed, and when they are not what was taken. Same says whether they are what
// they were at the time before.
func (p *Part[V]) read(now time.Time) (same bool, contents [][]byte, err error) {
	known := true
	for i, file := range p.files {
		info, err := look(file)
		if err != nil {
			p.stamps[i] = stamp{}
			return false, nil, err
		}
		if !p.stamps[i].same(info, now) {
			known, p.stamps[i] = false, stamp{info: info, at: now}
		}
	}
	if known && p.sum == p.taken {
		return true, nil, nil
	}
	hash := sha256.New()
	for _, file := range p.files {
		content, err := read(file)
		if err != nil {
			clear(p.stamps) // what was seen and not read is to be looked at again
			return false, nil, err
		}
		contents = append(contents, content)
		sum := sha256.Sum256(content)
		hash.Write(sum[:]) // so that no byte can pass from one file to the next
	}
	sum := [sha256.Size]byte(hash.Sum(nil))
	same, p.sum = sum == p.sum, sum
	return same, contents, nil
}

// Remember keeps what the last Check said, and reports whether that is another failure than before.
func (p *Part[V]) Remember(err error) (news bool) {
	if err == nil {
		if !p.failed {
			p.err = nil
		}
		return false
	}
	news = p.err == nil || p.err.Error() != err.Error()
	p.err = err
	return news
}

// Trouble returns the failure that lasts. Of a nil Part there is none.
func (p *Part[V]) Trouble() error {
	if p == nil {
		return nil
	}
	return p.err
}

// Files returns the names of the files.
func (p *Part[V]) Files() []string { return p.files }

// Loads returns how often they were taken.
func (p *Part[V]) Loads() int { return p.loads }
