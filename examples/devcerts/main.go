// Command devcerts makes a development authority, and certificates that it signs, for trying out TLS on one machine:
//
//	go run ./examples/devcerts -dir certs -hosts localhost,127.0.0.1 -spiffe spiffe://dev.local/shop -spiffe spiffe://dev.local/orders
//
// The authority, ca.pem and ca-key.pem, is made at the first time, and used again after that. For each -spiffe, or once without it, a
// certificate for servers and clients is written to the file that its path names, such as shop.pem and shop-key.pem; running the command
// again renews them, as a rotation does. Everything is ECDSA P-256, and keys are for their owner only. It is not for production: whoever
// has ca-key.pem is anybody.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// options are those of the command.
type options struct {
	dir   string
	hosts string
	ids   []string
	name  string
	valid time.Duration
}

func main() {
	if err := run(os.Args[1:], os.Stdout, os.Stderr); err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(os.Stderr, "devcerts:", err)
		}
		os.Exit(1)
	}
}

// run makes what args ask for, and prints what that was.
func run(args []string, out, usage io.Writer) error {
	var o options
	flags := flag.NewFlagSet("devcerts", flag.ContinueOnError)
	flags.SetOutput(usage)
	flags.StringVar(&o.dir, "dir", "certs", "write to this `directory`")
	flags.StringVar(&o.hosts, "hosts", "localhost,127.0.0.1,::1", "the `names` and addresses of servers")
	flags.StringVar(&o.name, "name", "dev", "the `name` of the certificate where there is no -spiffe")
	flags.DurationVar(&o.valid, "for", 30*24*time.Hour, "how long certificates are valid")
	flags.Func("spiffe", "a SPIFFE `id`; may be repeated, for a certificate each", func(id string) error {
		o.ids = append(o.ids, id)
		return nil
	})
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("what is %q? there are no arguments beside the flags", flags.Arg(0))
	}
	if o.valid < time.Minute || o.valid > authorityValid {
		return fmt.Errorf("-for %v: want a minute to %v", o.valid, authorityValid)
	}
	leaves, err := o.leaves()
	if err != nil {
		return err
	}
	return issue(o.dir, leaves, out)
}

// hostList returns the names and addresses.
func (o *options) hostList() ([]string, error) {
	var hosts []string
	for host := range strings.SplitSeq(o.hosts, ",") {
		if host = strings.TrimSpace(host); host == "" || strings.ContainsAny(host, "/ []") {
			return nil, fmt.Errorf("-hosts %q: %q is no name and no address", o.hosts, host)
		}
		hosts = append(hosts, host)
	}
	return hosts, nil
}
