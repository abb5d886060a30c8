package kubediscovery

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/pager"
)

const (
	// shortest is how long a watch lasts without an event at least, if nothing is wrong.
	shortest = time.Second
	// grace is how much longer a watch may last than the API server is asked to let it last.
	grace = 30 * time.Second
)

var (
	// errSlow is the cause of the end of a request that took longer than RequestLimit.
	errSlow = fmt.Errorf("the API server has not answered within %v", RequestLimit)
	// errHung is the cause of the end of a watch that the API server should have ended.
	errHung = errors.New("the API server has not ended the watch in time")
)

// follow keeps what is known as it is in the API server, until ctx ends or something fails.
func (w *watching) follow(ctx context.Context) error {
	for {
		if w.brief {
			w.delay.Wait(ctx)
		}
		version, err := w.list(ctx)
		if err != nil {
			w.brief = false
			return fmt.Errorf("kubediscovery: listing the EndpointSlices of %s: %w", w, err)
		}
		if err := w.watchFrom(ctx, version); err != nil {
			return fmt.Errorf("kubediscovery: watching the EndpointSlices of %s: %w", w, err)
		}
	}
}

// watchFrom heeds what happens after version, by one watch after the other. It returns nil when a list is needed again, since the
// API server no longer has all that happened.
func (w *watching) watchFrom(ctx context.Context, version string) error {
	for {
		reached, lasted, err := w.watch(ctx, version)
		if w.brief = lasted < shortest && version == reached; !w.brief {
			w.delay.Reset()
		}
		version = reached
		switch {
		case apierrors.IsResourceExpired(err) || apierrors.IsGone(err):
			return nil
		case err == nil && w.brief:
			return errors.New("the watch ended at once")
		case err != nil:
			return err
		}
	}
}

// list reads all EndpointSlices of the service, as they are and not as a cache of the API server has them, and returns the version.
func (w *watching) list(ctx context.Context) (version string, err error) {
	page := func(ctx context.Context, opts metav1.ListOptions) (runtime.Object, error) {
		ctx, cancel := context.WithTimeoutCause(ctx, RequestLimit, errSlow)
		defer cancel()
		list, err := w.client.EndpointSlices(w.config.namespace).List(ctx, opts)
		return list, because(ctx, err)
	}
	pages := pager.New(page)
	pages.PageSize = w.pageSize
	list, _, err := pages.List(ctx, w.selector())
	if err != nil {
		return "", err
	}
	found := make(map[string]*discoveryv1.EndpointSlice)
	err = meta.EachListItem(list, func(object runtime.Object) error {
		slice, err := sliceOf(object)
		if err == nil {
			found[slice.Name] = slice
		}
		return err
	})
	if err != nil {
		return "", err
	}
	accessor, err := meta.ListAccessor(list)
	if err != nil {
		return "", err
	}
	w.replace(found)
	return accessor.GetResourceVersion(), nil
}

// watch heeds what happens after version. It returns the version up to which it did, and how long it lasted once it had begun.
func (w *watching) watch(ctx context.Context, version string) (reached string, lasted time.Duration, err error) {
	limit := w.watchLimit/2 + rand.N(w.watchLimit/2) //nolint:gosec // no secret
	ctx, stop := context.WithTimeoutCause(ctx, limit+grace, errHung)
	defer stop()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	slow := time.AfterFunc(RequestLimit, func() { cancel(errSlow) })
	seconds := int64(max(limit.Seconds(), 1))
	opts := w.selector()
	opts.ResourceVersion, opts.AllowWatchBookmarks, opts.TimeoutSeconds = version, true, &seconds
	stream, err := w.client.EndpointSlices(w.config.namespace).Watch(ctx, opts)
	slow.Stop()
	if err != nil {
		return version, 0, because(ctx, err)
	}
	begun := time.Now()
	defer func() {
		lasted = time.Since(begun)
		stream.Stop()
		for range stream.ResultChan() { // it is closed when nothing of the watch remains
		}
	}()
	for { // an empty stream is also what client-go returns when it has lost the connection and could not make another
		select {
		case event, ok := <-stream.ResultChan():
			if !ok {
				return version, 0, context.Cause(ctx)
			}
			if version, err = w.heed(event, version); err != nil {
				return version, 0, err
			}
		case <-ctx.Done():
			return version, 0, context.Cause(ctx)
		}
	}
}

// heed returns the version that comes with the event.
func (w *watching) heed(event watch.Event, version string) (string, error) {
	if event.Type == watch.Error {
		return version, apierrors.FromObject(event.Object)
	}
	slice, err := sliceOf(event.Object)
	if err != nil {
		return version, err
	}
	switch event.Type { //nolint:exhaustive // of a Bookmark there is only the version
	case watch.Added, watch.Modified:
		w.put(slice)
	case watch.Deleted:
		w.remove(slice.Name)
	}
	return slice.ResourceVersion, nil
}

// selector selects the EndpointSlices of the service.
func (w *watching) selector() metav1.ListOptions {
	return metav1.ListOptions{LabelSelector: discoveryv1.LabelServiceName + "=" + w.service}
}

// sliceOf returns an object as what it should be.
func sliceOf(object runtime.Object) (*discoveryv1.EndpointSlice, error) {
	slice, ok := object.(*discoveryv1.EndpointSlice)
	if !ok {
		return nil, fmt.Errorf("want an EndpointSlice, have %T", object)
	}
	slice.ManagedFields = nil // what is kept is kept small
	return slice, nil
}

// because returns err, with the cause of the end of ctx where that is why.
func because(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); err != nil && cause != nil && !errors.Is(err, cause) {
		return fmt.Errorf("%w: %w", cause, err)
	}
	return err
}
