package tlsconfig

import (
	"crypto/sha256"
	"time"
)

// part is what is read from files that belong together: it changes as a whole, or not at all.
type part[V any] struct {
	files []string
	parse func(files []string, contents [][]byte, now time.Time) (*V, error)

	stamps []stamp
	sum    [sha256.Size]byte // of the contents when they were last read
	taken  [sha256.Size]byte // of those in use
	failed bool              // whether the last look failed
	loads  int               // how often it was taken
	err    error             // the failure that was reported, while it lasts

	exposed, ended bool // what was reported of what is in use
}

func newPart[V any](files []string, parse func(files []string, contents [][]byte, now time.Time) (*V, error)) *part[V] {
	return &part[V]{files: files, parse: parse, stamps: make([]stamp, len(files))}
}

// check looks at the files. It returns what is in them where that is new, nil where it is what was taken last. Unless it is to be quick, it
// takes nothing, and says of nothing that it is wrong, which was not the same at the time before: files that belong together are written
// one after the other.
func (p *part[V]) check(now time.Time, quick bool) (value *V, err error) {
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
	p.taken, p.failed, p.exposed, p.ended = p.sum, false, false, false
	p.loads++
	return value, nil
}

// read reads the files where it must: when they may have changed, and when they are not what was taken. Same says whether they are what
// they were at the time before.
func (p *part[V]) read(now time.Time) (same bool, contents [][]byte, err error) {
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

// remember keeps what the last check said, and reports whether that is another failure than before.
func (p *part[V]) remember(err error) (news bool) {
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

// trouble returns the failure that lasts.
func (p *part[V]) trouble() error {
	if p == nil {
		return nil
	}
	return p.err
}
