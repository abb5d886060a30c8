package tlsconfig

import (
	"crypto/tls"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ashlar-go/ashlar/internal/option"
)

// Source is a certificate and roots that are read again when their files change, for any number of servers and clients. Make it with
// NewSource, and Close it when they are done. It is safe for concurrent use. One that NewSource did not make is refused by whatever takes
// it.
type Source struct {
	config sourceConfig
	used   atomic.Pointer[material]
	status atomic.Pointer[Status]

	mu          sync.Mutex // one look at the files at a time
	certificate *part[tls.Certificate]
	roots       *part[roots]
	outdated    outdated

	end   chan struct{}
	ended chan struct{}
	once  sync.Once
}

var errUnmade = errors.New("tlsconfig: the Source was not made by NewSource")

// NewSource reads the files, and watches them until Close. It fails when an option is wrong, when there is neither SourceCertificate nor
// SourceRoots, and when a file cannot be used as it is: one that is missing, empty or no PEM, a key that is not that of the certificate, a
// certificate that has ended or is not valid yet, roots of which none is valid. Later failures of that kind leave in use what is; see
// SourceOnEvent. A private key that everybody may read, or others may write, is used, and a Warned event.
func NewSource(opts ...SourceOption) (*Source, error) {
	config := sourceConfig{interval: DefaultInterval}
	if err := option.Set(&config, opts); err != nil {
		return nil, fmt.Errorf("tlsconfig: NewSource: %w", err)
	}
	if config.certFile == "" && len(config.rootFiles) == 0 {
		return nil, errors.New("tlsconfig: NewSource: want SourceCertificate, SourceRoots or both")
	}
	s := &Source{config: config, end: make(chan struct{}), ended: make(chan struct{})}
	s.used.Store(new(material))
	s.status.Store(new(Status))
	if config.certFile != "" {
		s.certificate = newPart([]string{config.certFile, config.keyFile}, parseCertificate)
	}
	if len(config.rootFiles) > 0 {
		s.roots = newPart(config.rootFiles, parseRoots)
	}
	if err := s.look(true); err != nil {
		return nil, fmt.Errorf("tlsconfig: NewSource: %w", err)
	}
	go s.watch()
	return s, nil
}

// watch looks at the files until Close.
func (s *Source) watch() {
	defer close(s.ended)
	ticker := time.NewTicker(s.config.interval)
	defer ticker.Stop()
	for {
		select {
		case <-s.end:
			return
		case <-ticker.C:
			_ = s.look(false) // which tells who wants to know
		}
	}
}

// Reload takes the files as they are now, for those who know that they have been written, and returns why it did not. What it could not
// take is as it was.
func (s *Source) Reload() error {
	if s.made() == nil {
		return errUnmade
	}
	if err := s.look(true); err != nil {
		return fmt.Errorf("tlsconfig: reload: %w", err)
	}
	return nil
}

// Close ends the watch, and waits for it. What was made from the source goes on with what is in use. Closing twice is harmless.
func (s *Source) Close() error {
	if s.made() != nil {
		s.once.Do(func() { close(s.end) })
		<-s.ended
	}
	return nil
}

// Status returns what is in use.
func (s *Source) Status() Status {
	if s.made() == nil {
		return Status{Err: errUnmade}
	}
	return *s.status.Load()
}

// made returns what is in use, nil for a source that NewSource did not make.
func (s *Source) made() *material {
	if s == nil {
		return nil
	}
	return s.used.Load()
}
