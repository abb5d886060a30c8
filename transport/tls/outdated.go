package tlsconfig

import (
	"fmt"
	"time"
)

// outdated remembers which files of the roots in use were reported because all certificates in them have ended.
type outdated struct {
	of   *roots
	told []bool
}

// warnRoots tells of files whose certificates have all ended, once for each while what is in use stays.
func (s *Source) warnRoots(now time.Time) {
	used := s.used.Load().roots
	if used == nil {
		return
	}
	if s.outdated.of != used {
		s.outdated = outdated{of: used, told: make([]bool, len(used.files))}
	}
	for i, file := range used.files {
		if !s.outdated.told[i] && now.After(file.last) {
			s.outdated.told[i] = true
			s.tell(Warned, []string{file.path}, fmt.Errorf("%s: all certificates in it have ended, the last at %v", file.path, file.last))
		}
	}
}
