package authz

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ashlar-go/ashlar/auth"
	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/internal/filewatch"
	"github.com/ashlar-go/ashlar/internal/option"
)

// Source is the Rules of a file that is read again when it changes, for any number of servers. Make it with NewSource, and Close it when
// they are done. It is safe for concurrent use. One that NewSource did not make refuses every call.
type Source struct {
	config sourceConfig
	used   atomic.Pointer[generation]
	status atomic.Pointer[Status]

	mu    sync.Mutex // one look at the file at a time
	file  *filewatch.Part[Rules]
	slots map[string]int // of the tables of a generation, by operation

	end   chan struct{}
	ended chan struct{}
	once  sync.Once
}

// generation is what is in use: rules, and what they say of each operation that has a middleware. All operations change at once.
type generation struct {
	rules  *Rules
	tables []*table
}

// NewSource reads the file, as Load does, and watches it until Close. It fails when an option is wrong, and when the file is. A later file
// that is wrong, or missing, leaves in use what is; see SourceOnEvent.
func NewSource(path string, opts ...SourceOption) (*Source, error) {
	config := sourceConfig{interval: DefaultInterval}
	if err := option.Set(&config, opts); err != nil {
		return nil, fmt.Errorf("authz: NewSource: %w", err)
	}
	if path == "" {
		return nil, errors.New("authz: NewSource: want the name of a file")
	}
	path, err := filepath.Abs(path) // the directory of the process may change
	if err != nil {
		return nil, fmt.Errorf("authz: NewSource: %w", err)
	}
	s := &Source{config: config, slots: make(map[string]int), end: make(chan struct{}), ended: make(chan struct{})}
	s.file = filewatch.New([]string{path}, parseFile)
	s.status.Store(&Status{File: path})
	if err := s.look(true); err != nil {
		return nil, fmt.Errorf("authz: NewSource: %w", err)
	}
	go s.watch()
	return s, nil
}

func parseFile(files []string, contents [][]byte, _ time.Time) (*Rules, error) {
	rules, err := Parse(contents[0])
	if err != nil {
		return nil, fmt.Errorf("%s: %w", files[0], err)
	}
	return rules, nil
}

// watch looks at the file until Close.
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

// look takes what is new in the file, and tells what became of it.
func (s *Source) look(quick bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	rules, err := s.file.Check(now, quick)
	news := s.file.Remember(err)
	status := *s.status.Load()
	status.Err = s.file.Trouble()
	if rules != nil {
		next := &generation{rules: rules, tables: make([]*table, len(s.slots))}
		for operation, i := range s.slots {
			next.tables[i] = rules.compile(operation)
		}
		s.used.Store(next)
		status.Rules, status.Loaded = len(rules.all), now
		if s.file.Loads() > 1 {
			status.Reloads++
		}
	}
	s.status.Store(&status)
	if rules != nil {
		s.tell(Event{Kind: Loaded, Status: status})
	}
	if news {
		s.tell(Event{Kind: Failed, Err: err, Status: status})
	}
	return err
}

// tell calls those who want to know.
func (s *Source) tell(e Event) {
	for _, f := range s.config.onEvent {
		func() {
			defer func() { _ = recover() }() // a log that fails ends no watch
			f(e)
		}()
	}
}

// Reload takes the file as it is now, for those who know that it has been written, and returns why it did not. What is in use stays so
// then.
func (s *Source) Reload() error {
	if s.made() == nil {
		return fmt.Errorf("authz: Reload: %w", errUnmade)
	}
	if err := s.look(true); err != nil {
		return fmt.Errorf("authz: reload: %w", err)
	}
	return nil
}

// Close ends the watch, and waits for it. Calls go on being judged by what is in use. Closing twice is harmless.
func (s *Source) Close() error {
	if s.made() != nil {
		s.once.Do(func() { close(s.end) })
		<-s.ended
	}
	return nil
}

// Rules returns those in use, which never change themselves; nil of a Source that NewSource did not make.
func (s *Source) Rules() *Rules {
	if used := s.made(); used != nil {
		return used.rules
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

// Middleware is as that of Rules, by those that are in use when a call begins: each call is judged by one file as a whole, and no call
// waits while the file is read. A stream that has begun goes on; see Rejudge.
func (s *Source) Middleware(spec endpoint.Spec, next endpoint.Handler) endpoint.Handler {
	return Middleware(s)(spec, next)
}

// slot returns where the table of an operation is in this generation and all that follow.
func (s *Source) slot(operation string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	i, known := s.slots[operation]
	if known {
		return i
	}
	used := s.used.Load()
	i = len(used.tables)
	s.slots[operation] = i
	next := &generation{rules: used.rules, tables: slices.Concat(used.tables, []*table{used.rules.compile(operation)})}
	s.used.Store(next)
	return i
}

// Authorize decides by the rules in use, as an Authorizer.
func (s *Source) Authorize(ctx context.Context, operation string, caller *auth.Principal) (Decision, error) {
	if s.made() == nil {
		return Decision{}, errUnmade
	}
	return s.Rules().Authorize(ctx, operation, caller)
}

// made returns what is in use, nil for a source that NewSource did not make.
func (s *Source) made() *generation {
	if s == nil {
		return nil
	}
	return s.used.Load()
}
