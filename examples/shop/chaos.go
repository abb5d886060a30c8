package main

import (
	"context"
	"fmt"
	"io"
	"time"
)

// chaos lets something happen to one instance after the other, every so often, until ctx ends. Each in its turn is killed, and
// started again on its port after half of that time, or, where there is a registry to tell, replaced by a new one on another port.
func (f *fleet) chaos(ctx context.Context, every time.Duration, out io.Writer) error {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		happen := f.crash
		if f.registrar != nil && n%2 == 1 {
			happen = f.replace
		}
		if err := happen(ctx, n%len(f.instances), every/2, out); err != nil {
			return fmt.Errorf("chaos: %w", err)
		}
	}
}

// crash kills an instance, and starts it again after a while.
func (f *fleet) crash(ctx context.Context, n int, down time.Duration, out io.Writer) error {
	i := f.instances[n]
	i.kill()
	fmt.Fprintf(out, "chaos: %s at %s is killed\n", f.name, i.address)
	select {
	case <-time.After(down):
	case <-ctx.Done():
		return nil
	}
	again, err := f.serve(i.address)
	if err != nil {
		return err
	}
	again.deregister = i.deregister
	f.instances[n] = again
	fmt.Fprintf(out, "chaos: %s at %s is back\n", f.name, i.address)
	return nil
}

// replace starts another instance, and retires the old one.
func (f *fleet) replace(_ context.Context, n int, _ time.Duration, out io.Writer) error {
	i, err := f.serve("127.0.0.1:0")
	if err != nil {
		return err
	}
	if err := f.announce(i); err != nil {
		i.kill()
		return err
	}
	old := f.instances[n]
	f.instances[n] = i
	fmt.Fprintf(out, "chaos: %s at %s is replaced by %s\n", f.name, old.address, i.address)
	return old.retire()
}
