// Command shop is a small real shop: a storefront over HTTP for customers, a catalog over gRPC, payments over NATS, and orders over
// all three, in one process that calls itself over the network. It has a NATS server inside, and needs nothing installed.
//
//	go run ./examples/shop                            on free ports, until Ctrl-C
//	go run ./examples/shop -load 200 -for 10s         with customers
//	go run ./examples/shop -load 200 -chaos           while instances of the catalog are killed, and come back
//	go run ./examples/shop -registry mdns -chaos      and are found by asking the local network; or nats, consul, etcd, ...
//	go run ./examples/shop -tls                       with https, and mutual TLS between the services
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/ashlar-go/ashlar/log"
)

// options are what the command line says.
type options struct {
	addr  string        // of the storefront
	load  int           // customers' calls a second; 0 for none
	limit time.Duration // 0: until ctx ends
	level log.Level
	json  bool

	registry     string // a kind of registry
	registryAddr string
	chaos        time.Duration // between two accidents; 0 for none
	tls          bool
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // so that a second Ctrl-C does not wait for customers
	opts, err := parse(os.Args[1:], os.Stderr)
	if err == nil {
		err = run(ctx, opts, os.Stdout, os.Stderr)
	}
	stop()
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "shop:", err)
		os.Exit(1)
	}
}

func parse(args []string, usage io.Writer) (options, error) {
	var opts options
	flags := flag.NewFlagSet("shop", flag.ContinueOnError)
	flags.SetOutput(usage)
	flags.StringVar(&opts.addr, "addr", "127.0.0.1:0", "the storefront listens on this address; port 0 is any free one")
	flags.IntVar(&opts.load, "load", 0, "let customers make this many calls a second")
	flags.DurationVar(&opts.limit, "for", 0, "stop after this time; 0 is until Ctrl-C")
	flags.TextVar(&opts.level, "log", log.LevelInfo, "log lines of this level and above: debug (every call), info, warn, error")
	flags.BoolVar(&opts.json, "json", false, "log JSON instead of logfmt")
	kinds := strings.Join(slices.Sorted(maps.Keys(registries())), ", ")
	flags.StringVar(&opts.registry, "registry", "static", "find the catalog's instances by this kind of `registry`: "+kinds)
	flags.StringVar(&opts.registryAddr, "registry-addr", "", "where the registry is; the default is its own port on this machine")
	flags.BoolVar(&opts.tls, "tls", false, "services talk mutual TLS, with certificates made at the start; the storefront has https")
	flags.BoolFunc("chaos", "kill and restart an instance of the catalog every 3s, or at another interval, as in -chaos=1s", opts.setChaos)
	if err := flags.Parse(args); err != nil {
		return opts, err
	}
	switch {
	case flags.NArg() > 0:
		return opts, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	case opts.load < 0 || opts.load > maxLoad:
		return opts, fmt.Errorf("-load %d: want 0 to %d", opts.load, maxLoad)
	case !slices.Contains(slices.Collect(maps.Keys(registries())), opts.registry):
		return opts, fmt.Errorf("-registry %q: want one of %s", opts.registry, kinds)
	case opts.limit < 0:
		return opts, fmt.Errorf("-for %v: want no less than 0", opts.limit)
	}
	return opts, nil
}

func (o *options) setChaos(text string) (err error) {
	switch text {
	case "true":
		o.chaos = 3 * time.Second
	case "false":
		o.chaos = 0
	default:
		if o.chaos, err = time.ParseDuration(text); err == nil && o.chaos < minChaos {
			err = fmt.Errorf("want %v or more", minChaos)
		}
	}
	return err
}

const minChaos = 100 * time.Millisecond

// run is the shop, until ctx ends or its time is up.
func run(ctx context.Context, opts options, out, errout io.Writer) (err error) {
	writer := []log.WriterOption{log.MinLevel(opts.level)}
	if opts.json {
		writer = append(writer, log.JSON())
	}
	logger := log.New(errout, writer...)
	if opts.limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, opts.limit)
		defer cancel()
	}
	s, err := open(opts, logger)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	s.welcome(out)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	failed := make(chan error, 1)
	go func() { // a server that fails closes the shop
		defer cancel()
		select {
		case <-ctx.Done():
			failed <- nil
		case err := <-s.failed:
			failed <- err
		}
	}()
	if opts.chaos > 0 {
		over := make(chan struct{})
		go func() {
			defer close(over)
			if err := s.catalog.chaos(ctx, opts.chaos, out); err != nil {
				s.failed.add(err)
			}
		}()
		defer func() { // before the shop is closed
			cancel()
			<-over
		}()
	}
	if opts.load > 0 {
		if err := s.drive(ctx, opts.load, out); err != nil {
			return err
		}
	}
	return <-failed
}
