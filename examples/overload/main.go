// Command overload shows what becomes of a service that gets more calls than it can serve, with and without load shedding. The service
// is an HTTP server of known capacity: 16 calls at a time, 40 ms for each, which is 400 a second. Its callers wait half a second.
//
// It makes runs at 0.8, 1, 2, 5 and 10 times that capacity, each after three calm seconds, and prints a line of a table for each; and then
// one in which ten times the capacity come for a while, which -svg draws over time.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
)

const (
	workers = 16
	took    = 40 * time.Millisecond  // for a call
	timeout = 500 * time.Millisecond // of callers
)

// options are those of the command.
type options struct {
	every time.Duration // how long a run takes
	svg   string        // the file for the chart
}

func main() {
	var o options
	flag.DurationVar(&o.every, "for", 10*time.Second, "how long each run takes, and the storm of the last one")
	flag.StringVar(&o.svg, "svg", "", "write a chart of the last run to this `file`")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, o, overHTTP, os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "overload:", err)
		os.Exit(1)
	}
}

// run makes all runs, against servers that start gives.
func run(ctx context.Context, o options, start starter, out io.Writer) error {
	if flag.NArg() > 0 {
		return fmt.Errorf("what is %q? there are no arguments beside the flags", flag.Arg(0))
	}
	if o.every < time.Second {
		return fmt.Errorf("-for %v: want a second or more", o.every)
	}
	if err := table(ctx, o.every, start, out); err != nil {
		return err
	}
	storms, err := storm(ctx, o.every, start, out)
	if err != nil || o.svg == "" {
		return err
	}
	f, err := os.Create(o.svg)
	if err != nil {
		return err
	}
	return errors.Join(draw(f, storms), f.Close())
}
