package file

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"path/filepath"
	"time"

	"github.com/ashlar-go/ashlar/internal/option"
	"github.com/ashlar-go/ashlar/sd"
	"github.com/ashlar-go/ashlar/sd/internal/driver"
)

const (
	// DefaultMaxSize is how many bytes the file may have, unless InstancerMaxSize says otherwise.
	DefaultMaxSize = 4 << 20
	// DefaultPoll is how often the file is looked at without being told of a change, unless InstancerPoll says otherwise.
	DefaultPoll = 10 * time.Second
)

// Instancer watches the instances of one service in a file. It implements sd.Instancer.
type Instancer struct {
	path, service string
	maxSize       int
	poll          time.Duration
}

// InstancerOption changes an Instancer. Of several of one name the last counts.
type InstancerOption func(*Instancer) error

// InstancerMaxSize sets how many bytes the file may have: from 1 to 1 GiB, DefaultMaxSize by default. A larger one is an error.
func InstancerMaxSize(n int) InstancerOption {
	return func(i *Instancer) error {
		i.maxSize = n
		return option.Within("InstancerMaxSize", n, 1, 1<<30)
	}
}

// InstancerPoll sets how often the file is looked at when the system tells of no change: from 10 ms to an hour, DefaultPoll by default. It
// matters where the system cannot tell, as on network file systems.
func InstancerPoll(every time.Duration) InstancerOption {
	return func(i *Instancer) error {
		i.poll = every
		return option.Within("InstancerPoll", every, 10*time.Millisecond, time.Hour)
	}
}

// NewInstancer returns the Instancer of a service in the file of that path. It fails for an empty path, for a name of a service that no
// registry takes, and for an option that is not valid. The file need not exist yet: that is an error of the watch.
func NewInstancer(path, service string, opts ...InstancerOption) (*Instancer, error) {
	i := &Instancer{service: service, maxSize: DefaultMaxSize, poll: DefaultPoll}
	err := errors.Join(driver.CheckService(service), option.Set(i, opts))
	if path == "" {
		err = errors.Join(err, errors.New("the path of the file is empty"))
	}
	if err == nil {
		i.path, err = filepath.Abs(path)
	}
	if err != nil {
		return nil, fmt.Errorf("file: NewInstancer: %w", err)
	}
	return i, nil
}

// Watch implements sd.Instancer. A service that is not in the file has no instances. A file that cannot be read, or is not valid for the
// service, is one error, and the last set stays until it is.
func (i *Instancer) Watch(ctx context.Context) iter.Seq2[[]sd.Instance, error] {
	return func(yield func([]sd.Instance, error) bool) {
		said := "" // the last error, while it is true
		read := func(ctx context.Context, feed *driver.Feed) error { return i.read(ctx, feed, &said) }
		driver.Watch(ctx, read)(yield)
	}
}

// read follows the file until it returns an error, which is one that was not said yet.
func (i *Instancer) read(ctx context.Context, feed *driver.Feed, said *string) error {
	n := newNotifier(i.path, i.poll)
	defer n.close()
	var last []byte // what the set in force was read from
	for ctx.Err() == nil {
		watched := n.follow() // before the file is read, so that no change is missed
		data, set, err := i.look(ctx, last, *said)
		switch {
		case err == nil && data == nil:
		case err == nil:
			if !feed.Set(set) {
				return nil
			}
			last, *said = data, ""
		case err.Error() == *said:
			watched = false
		default:
			*said = err.Error()
			return err
		}
		n.wait(ctx, watched)
	}
	return nil
}

// look returns what is in the file, and the set that it says, or nothing when that is what was there last. An error that was not said yet
// it has seen twice, since the file may be being written.
func (i *Instancer) look(ctx context.Context, last []byte, said string) (data []byte, set []sd.Instance, err error) {
	for doubt := ""; ; rest(ctx) {
		if data, err = read(i.path, int64(i.maxSize)); err == nil {
			if last != nil && bytes.Equal(data, last) {
				return nil, nil, nil
			}
			if set, err = parse(data, i.service); err == nil {
				return data, set, nil
			}
		}
		err = fmt.Errorf("file: %s: %w", i.path, err)
		text := err.Error()
		if text == said || text == doubt || ctx.Err() != nil {
			return nil, nil, err
		}
		doubt = text
	}
}
