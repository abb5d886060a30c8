package file

import (
	"context"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"
)

const (
	settle    = 20 * time.Millisecond  // without a change after which a writer has finished
	settleMax = 200 * time.Millisecond // however long it goes on
	grace     = 50 * time.Millisecond  // for a writer who is not done though it looked so
	quickPoll = time.Second            // while the file cannot be read, or changes are not told
)

// notifier waits for changes of a file.
type notifier struct {
	path    string
	poll    time.Duration
	watcher *fsnotify.Watcher // nil where the system has no more of them
	target  string            // the directory of what the file is a link to
}

// newNotifier returns a notifier, which is to be closed.
func newNotifier(path string, poll time.Duration) *notifier {
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		watcher = nil
	}
	return &notifier{path: path, poll: poll, watcher: watcher}
}

func (n *notifier) close() {
	if n.watcher != nil {
		_ = n.watcher.Close() // it has nothing to lose
	}
}

// follow watches the directories of the file, and of what it is a link to, rather than the file, which may be replaced. It says whether
// these are watched.
func (n *notifier) follow() bool {
	if n.watcher == nil {
		return false
	}
	dir := filepath.Dir(n.path)
	if n.watcher.Add(dir) != nil { // again each time, since it may be another directory by now
		return false
	}
	file, err := filepath.EvalSymlinks(n.path)
	if err != nil {
		return true // the link will be seen
	}
	target := filepath.Dir(file)
	if n.target != "" && n.target != target && n.target != dir {
		_ = n.watcher.Remove(n.target) // it may be gone
	}
	n.target = target
	return n.watcher.Add(target) == nil
}

// wait waits until something in the directories has changed and come to rest, or it is time to look anyway, or ctx ends.
func (n *notifier) wait(ctx context.Context, watched bool) {
	poll := n.poll
	if !watched {
		poll = min(poll, quickPoll)
	}
	var events <-chan fsnotify.Event
	var failures <-chan error // as when there were too many events
	if n.watcher != nil {
		events, failures = n.watcher.Events, n.watcher.Errors
	}
	timer := time.NewTimer(poll)
	defer timer.Stop()
	var limit time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
			return
		case <-failures: //nolint:errcheck // whatever it is, the file is looked at
		case <-events:
		}
		now := time.Now()
		if limit.IsZero() {
			limit = now.Add(settleMax)
		}
		timer.Reset(min(settle, limit.Sub(now)))
	}
}

// rest waits for what a writer may still need.
func rest(ctx context.Context) {
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
