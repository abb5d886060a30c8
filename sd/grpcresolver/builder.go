package grpcresolver

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"

	"google.golang.org/grpc/resolver"
	"google.golang.org/grpc/serviceconfig"

	"github.com/ashlar-go/ashlar/internal/option"
	"github.com/ashlar-go/ashlar/sd"
)

// RoundRobin is a service configuration by which calls take the instances in turn. Without one grpc-go sends all calls of a connection to
// one instance. It is for grpc.WithDefaultServiceConfig, or for BuilderServiceConfig.
const RoundRobin = `{"loadBalancingConfig":[{"round_robin":{}}]}`

// Builder is a resolver.Builder for grpc.WithResolvers. It is safe for concurrent use.
type Builder struct {
	scheme string
	find   func(service string) (sd.Instancer, error)
	config string
}

var _ resolver.Builder = (*Builder)(nil)

// BuilderOption sets up a Builder.
type BuilderOption func(*Builder) error

// BuilderServiceConfig makes json, in the form of grpc-go's service configurations, that of all connections. It takes the place of the one
// of grpc.WithDefaultServiceConfig, which is in force by default.
func BuilderServiceConfig(text string) BuilderOption {
	return func(b *Builder) error {
		if !json.Valid([]byte(text)) {
			return errors.New("BuilderServiceConfig: it is no JSON")
		}
		if b.config != "" {
			return errors.New("BuilderServiceConfig is given twice")
		}
		b.config = text
		return nil
	}
}

// NewBuilder returns the Builder for targets of the scheme, such as "etcd" for "etcd:///orders". Find is called with what follows the
// third slash, and returns the Instancer of that service. What it returns is the caller's to close.
func NewBuilder(scheme string, find func(service string) (sd.Instancer, error), opts ...BuilderOption) (*Builder, error) {
	fail := func(err error) (*Builder, error) { return nil, fmt.Errorf("grpcresolver: NewBuilder: %w", err) }
	if !regexp.MustCompile(`^[a-z][a-z0-9+.-]*$`).MatchString(scheme) {
		return fail(fmt.Errorf("the scheme %q: want a letter, and then letters, digits and any of +.-, all of them lower-case", scheme))
	}
	if find == nil {
		return fail(errors.New("find is nil"))
	}
	b := &Builder{scheme: scheme, find: find}
	if err := option.Set(b, opts); err != nil {
		return fail(err)
	}
	return b, nil
}

// Scheme implements resolver.Builder.
func (b *Builder) Scheme() string { return b.scheme }

// Build implements resolver.Builder. An error of it is the error of calls.
func (b *Builder) Build(target resolver.Target, cc resolver.ClientConn, opts resolver.BuildOptions) (resolver.Resolver, error) {
	fail := func(err error) (resolver.Resolver, error) {
		return nil, fmt.Errorf("grpcresolver: the target %s: %w", target.URL.String(), err)
	}
	service := target.Endpoint()
	if service == "" || target.URL.Host != "" {
		return fail(fmt.Errorf("want %s:///service", b.scheme))
	}
	var config *serviceconfig.ParseResult
	if b.config != "" && !opts.DisableServiceConfig {
		if config = cc.ParseServiceConfig(b.config); config.Err != nil {
			return fail(fmt.Errorf("the service configuration: %w", config.Err))
		}
	}
	instancer, err := b.find(service)
	if err != nil {
		return fail(err)
	}
	if instancer == nil {
		return fail(errors.New("there is no Instancer of the service"))
	}
	return start(instancer, cc, config), nil
}
