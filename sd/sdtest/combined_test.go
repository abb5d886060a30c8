package sdtest_test

import (
	"context"
	"errors"
	"hash/fnv"
	"testing"

	"github.com/ashlar-go/ashlar/sd"
	"github.com/ashlar-go/ashlar/sd/sdtest"
)

// over returns the harness with other Instancers.
func over(h sdtest.Harness, change func(from sd.Instancer) sd.Instancer) sdtest.Harness {
	next := h.Instancer
	h.Instancer = func(service string) (sd.Instancer, error) {
		from, err := next(service)
		return change(from), err
	}
	return h
}

func cached(from sd.Instancer) sd.Instancer { return sd.NewCache(from) }

func TestACacheConforms(t *testing.T) {
	t.Parallel()
	passes(t, over(newRegistry().harness(), cached))
}

func TestAMergeConforms(t *testing.T) {
	t.Parallel()
	passes(t, over(newRegistry().harness(), func(from sd.Instancer) sd.Instancer { return sd.Merge(from) }))
	passes(t, over(newRegistry().harness(), func(from sd.Instancer) sd.Instancer { return sd.Merge(from, from) }))
	passes(t, over(newRegistry().harness(), func(from sd.Instancer) sd.Instancer {
		none, err := sd.NewStatic()
		if err != nil {
			t.Error(err)
		}
		return sd.Merge(none, from)
	}))
}

// split returns the harness of two registries, each of which has a part of the instances.
func split(change func(one, other sd.Instancer) sd.Instancer) sdtest.Harness {
	one, other := newRegistry(), newRegistry()
	of := func(i sd.Instance) *registry {
		hash := fnv.New32a()
		_, _ = hash.Write([]byte(i.ID))
		if hash.Sum32()%2 == 0 {
			return one
		}
		return other
	}
	return sdtest.Harness{
		Instancer: func(service string) (sd.Instancer, error) {
			return change(one.watch(service), other.watch(service)), nil
		},
		Registrar: func(service string) (sd.Registrar, error) {
			return registering(func(ctx context.Context, i sd.Instance) (func(context.Context) error, error) {
				return of(i).register(service)(ctx, i)
			}), nil
		},
		Forget:  func(service string, i sd.Instance) error { return of(i).forget(service, i) },
		Corrupt: func(service string) error { return errors.Join(one.corrupt(service), other.corrupt(service)) },
		Outage: func() (func() error, error) {
			restoreOne, err := one.outage()
			restoreOther, err2 := other.outage()
			return func() error { return errors.Join(restoreOne(), restoreOther()) }, errors.Join(err, err2)
		},
	}
}

func TestAMergeOfTwoRegistriesConforms(t *testing.T) {
	t.Parallel()
	passes(t, split(func(one, other sd.Instancer) sd.Instancer { return sd.Merge(one, other) }))
	passes(t, split(func(one, other sd.Instancer) sd.Instancer { return cached(sd.Merge(one, other)) }))
}

// hiding returns the harness with an instance beside each that is put, which a filter leaves out.
func hiding(h sdtest.Harness) sdtest.Harness {
	next := h.Registrar
	h.Registrar = func(service string) (sd.Registrar, error) {
		registrar, err := next(service)
		return registering(func(ctx context.Context, i sd.Instance) (func(context.Context) error, error) {
			one, err := registrar.Register(ctx, i)
			if err != nil {
				return nil, err
			}
			other, err := registrar.Register(ctx, sd.Instance{ID: i.ID + "'", Address: i.Address + "'", Zone: "hidden"})
			if err != nil {
				return nil, err
			}
			return func(ctx context.Context) error { return errors.Join(one(ctx), other(ctx)) }, nil
		}), err
	}
	return over(h, func(from sd.Instancer) sd.Instancer { return sd.Filter(from, sd.Not(sd.InZone("hidden"))) })
}

func TestAFilterConforms(t *testing.T) {
	t.Parallel()
	passes(t, over(newRegistry().harness(), func(from sd.Instancer) sd.Instancer { return sd.Filter(from) }))
	passes(t, hiding(newRegistry().harness()))
	passes(t, over(hiding(newRegistry().harness()), cached))
}
