package main

import (
	"context"
	"crypto/tls"
	"errors"

	"github.com/ashlar-go/ashlar/log"
	"github.com/ashlar-go/ashlar/sd"
	grpctransport "github.com/ashlar-go/ashlar/transport/grpc"
)

// fleet is the instances of a service over gRPC. Here they share their data, as instances of a service share a database. Nothing but
// close is called while chaos runs, and that waits for it.
type fleet struct {
	name      string
	servers   []*grpctransport.Server
	tls       *tls.Config  // nil for none
	registrar sd.Registrar // nil where instances cannot be announced
	logger    log.Logger
	failed    failures
	instances []*instance
}

// instance is one server, and what announces it.
type instance struct {
	address    string
	server     *grpctransport.GRPCServer
	stopped    <-chan struct{} // closed when the server has ended
	deregister func(context.Context) error
}

// start adds an instance on a free port.
func (f *fleet) start() error {
	i, err := f.serve("127.0.0.1:0")
	if err != nil {
		return err
	}
	f.instances = append(f.instances, i)
	return f.announce(i)
}

// serve starts a server.
func (f *fleet) serve(address string) (*instance, error) {
	i := &instance{server: newGRPCServer(f.tls, f.servers...)}
	var err error
	if i.address, i.stopped, err = listen(f.name, address, log.With(f.logger, "over", "grpc"), i.server.Serve, f.failed); err != nil {
		i.server.Stop()
		return nil, err
	}
	return i, nil
}

// announce puts an instance into the registry, until it retires.
func (f *fleet) announce(i *instance) (err error) {
	if f.registrar == nil {
		return nil
	}
	announced := sd.Instance{ID: f.name + "-" + i.address, Address: i.address, Version: "1.0.0"}
	i.deregister, err = f.registrar.Register(context.Background(), announced)
	return err
}

// retire ends an instance as a deployment does: it is taken out of the registry, and what it serves is served to the end.
func (i *instance) retire() error {
	ctx, cancel := context.WithTimeout(context.Background(), closingLimit)
	defer cancel()
	var err error
	if i.deregister != nil {
		err = i.deregister(ctx)
	}
	err = errors.Join(err, grpctransport.Shutdown(ctx, i.server, streamGrace))
	<-i.stopped
	return err
}

// kill ends an instance as a crash does: calls are cut off, and the registry knows nothing of it.
func (i *instance) kill() {
	i.server.Stop()
	<-i.stopped
}

// addresses are those of the instances.
func (f *fleet) addresses() []string {
	all := make([]string, len(f.instances))
	for n, i := range f.instances {
		all[n] = i.address
	}
	return all
}

// close retires all instances.
func (f *fleet) close() error {
	var errs []error
	for _, i := range f.instances {
		errs = append(errs, i.retire())
	}
	f.instances = nil
	return errors.Join(errs...)
}
