package tlsconfig

import (
	"crypto/tls"
	"errors"
	"fmt"
	"slices"
	"time"
)

// look looks at all files. A certificate that cannot be taken does not keep roots from being taken, nor they it: they change for reasons of
// their own.
func (s *Source) look(quick bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	var all error
	if p := s.certificate; p != nil {
		all = take(s, p, now, quick, func(m *material, value *tls.Certificate) { m.certificate = value })
		s.warn(p, now)
	}
	if p := s.roots; p != nil {
		all = errors.Join(all, take(s, p, now, quick, func(m *material, value *roots) { m.roots = value }))
		s.warnRoots(now)
	}
	return all
}

// take takes what is new in the files of a part, and tells what became of them.
func take[V any](s *Source, p *part[V], now time.Time, quick bool, put func(m *material, value *V)) error {
	value, err := p.Check(now, quick)
	news := p.Remember(err)
	if value != nil {
		used := *s.used.Load()
		put(&used, value)
		s.used.Store(&used)
		p.exposed, p.ended = false, false
	}
	s.publish(now, value != nil, p.Loads())
	if value != nil {
		s.tell(Loaded, p.Files(), nil)
	}
	if news {
		s.tell(Failed, p.Files(), err)
	}
	return err
}

// warn tells what is wrong with the certificate that is in use, once for each.
func (s *Source) warn(p *part[tls.Certificate], now time.Time) {
	used := s.used.Load().certificate
	if used == nil {
		return
	}
	if !p.exposed {
		if err := exposed(s.config.keyFile); err != nil {
			p.exposed = true
			s.tell(Warned, p.Files(), err)
		}
	}
	if !p.ended && now.After(used.Leaf.NotAfter) {
		p.ended = true
		s.tell(Warned, p.Files(), fmt.Errorf("the certificate in use, of %s, has ended at %v", nameOf(used.Leaf), used.Leaf.NotAfter))
	}
}

// publish makes the Status.
func (s *Source) publish(now time.Time, taken bool, loads int) {
	used, status := s.used.Load(), *s.status.Load()
	if c := used.certificate; c != nil {
		leaf := c.Leaf
		status.Subject, status.Issuer, status.SerialNumber = leaf.Subject.String(), leaf.Issuer.String(), leaf.SerialNumber.Text(16)
		status.NotBefore, status.NotAfter = leaf.NotBefore, leaf.NotAfter
		status.SPIFFEID, _ = SPIFFEIDOf(leaf) // which it need not have
	}
	if r := used.roots; r != nil {
		status.Roots, status.RootsNotAfter = r.count, r.first
	}
	if taken {
		status.Loaded = now
		if loads > 1 {
			status.Reloads++
		}
	}
	status.Err = errors.Join(s.certificate.trouble(), s.roots.trouble())
	s.status.Store(&status)
}

// tell calls those who want to know.
func (s *Source) tell(kind EventKind, files []string, err error) {
	for _, f := range s.config.onEvent {
		func() {
			defer func() { _ = recover() }() // a log that fails ends no watch
			f(Event{Kind: kind, Files: slices.Clone(files), Err: err, Status: *s.status.Load()})
		}()
	}
}
