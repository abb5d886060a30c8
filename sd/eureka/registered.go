package eureka

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/ashlar-go/ashlar/sd"
)

const (
	// signs is how often a lease is renewed in its time.
	signs = 3
	// attempts is how often a registration is tried whose time stamp is older than that of another of the same ID.
	attempts = 3
)

// registered is one registration. It implements driver.Registration.
type registered struct {
	session

	info     *info
	interval time.Duration // from one renewal to the next
	stamp    int64         // the server keeps what has the newest
	was      bool          // a server has had it
	replaced bool          // a newer registration has its place, and that was said
}

// Hold registers the instance and renews its lease. It returns when no server can be reached, or one does not know the instance. While a
// newer registration has its place it waits.
func (r *registered) Hold(ctx context.Context, held func()) error {
	if !r.replaced {
		ours, err := r.put(ctx)
		if err == nil && !ours {
			err = errors.New("another instance of that ID is registered again and again")
			if r.was {
				r.replaced, err = true, sd.ErrReplaced
			}
		}
		if err != nil {
			return fmt.Errorf("eureka: registering %s: %w", r.name(), err)
		}
		r.was = true
		held()
	}
	ticker := time.NewTicker(r.interval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
			if err := r.keep(ctx); err != nil {
				return fmt.Errorf("eureka: renewing the lease of %s: %w", r.name(), err)
			}
		}
	}
}

func (r *registered) name() string { return r.info.App + "/" + r.info.ID }

func (r *registered) path() []string { return []string{"apps", r.info.App, r.info.ID} }

// put registers the instance, and says whether the server has it and no other. At first it takes the place of any that is there, also
// of one whose clock is ahead.
func (r *registered) put(ctx context.Context) (bool, error) {
	for range attempts {
		r.info.Dirty = strconv.FormatInt(r.stamp, 10)
		body, err := json.Marshal(map[string]*info{"instance": r.info})
		if err != nil {
			return false, err
		}
		post := request{method: http.MethodPost, path: []string{"apps", r.info.App}, body: body}
		if _, err := r.ask(ctx, post, http.StatusNoContent, http.StatusOK); err != nil {
			return false, err
		}
		there, err := r.get(ctx)
		switch {
		case err != nil:
			return false, err
		case there == nil:
			return false, errors.New("the server does not know it at once after that")
		case there.once == r.info.Metadata[onceKey]:
			return true, nil
		case r.was:
			return false, nil
		}
		r.stamp = max(r.stamp, there.stamp) + 1
	}
	return false, nil
}

// get returns what the server has registered under the ID, or nil.
func (r *registered) get(ctx context.Context) (*holder, error) {
	a, err := r.ask(ctx, request{method: http.MethodGet, path: r.path()}, http.StatusOK, http.StatusNotFound)
	if err != nil || a.status == http.StatusNotFound {
		return nil, err
	}
	return decodeHolder(a.body)
}

// keep renews the lease, unless a newer registration has the ID: a server does not ask whose lease is renewed, and so an instance that
// has crashed would stay for as long as one that it has replaced.
func (r *registered) keep(ctx context.Context) error {
	there, err := r.get(ctx)
	switch before := r.replaced; {
	case err != nil:
		return err
	case there != nil && there.once != r.info.Metadata[onceKey] && there.stamp >= r.stamp:
		if r.replaced = true; !before {
			return sd.ErrReplaced
		}
		return nil
	}
	r.replaced = false
	switch {
	case there == nil:
		return errUnknown
	case there.once != r.info.Metadata[onceKey]:
		return errors.New("the server has an older one of the same ID")
	}
	return r.renew(ctx)
}

var errUnknown = errors.New("the server does not know it")

func (r *registered) renew(ctx context.Context) error {
	query := url.Values{"status": {up}, "lastDirtyTimestamp": {strconv.FormatInt(r.stamp, 10)}}
	a, err := r.ask(ctx, request{method: http.MethodPut, path: r.path(), query: query}, http.StatusOK, http.StatusNotFound)
	if err == nil && a.status == http.StatusNotFound {
		err = errUnknown
	}
	return err
}

// Remove implements driver.Registration. It leaves alone what has taken this one's place.
func (r *registered) Remove(ctx context.Context) error {
	there, err := r.get(ctx)
	if err == nil && there != nil && there.once == r.info.Metadata[onceKey] {
		_, err = r.ask(ctx, request{method: http.MethodDelete, path: r.path()}, http.StatusOK, http.StatusNoContent, http.StatusNotFound)
	}
	if err != nil {
		return fmt.Errorf("eureka: deregistering %s: %w", r.name(), err)
	}
	return nil
}
