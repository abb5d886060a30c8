package grpctransport

import (
	"context"
	"slices"
	"strings"

	"google.golang.org/grpc/metadata"

	"github.com/ashlar-go/ashlar/transport"
)

// outgoing is the header of a request: what hooks and transport.WithHeader set, over the outgoing metadata of the context.
type outgoing struct {
	ctx context.Context
	set []field
}

// field is one that was set; without values its key is not sent.
type field struct {
	key    string
	values []string
}

func (o *outgoing) Get(key string) string {
	if values := o.Values(key); len(values) > 0 {
		return values[0]
	}
	return ""
}

func (o *outgoing) Values(key string) []string {
	key = strings.ToLower(key)
	if i := o.find(key); i >= 0 {
		return o.set[i].values
	}
	md, _ := metadata.FromOutgoingContext(o.ctx)
	return md[key]
}

func (o *outgoing) Set(key string, values ...string) {
	f := field{key: strings.ToLower(key), values: values}
	if i := o.find(f.key); i >= 0 {
		o.set[i] = f
		return
	}
	o.set = append(o.set, f)
}

func (o *outgoing) All() fieldSeq { return received(o.metadata()).All() }

func (o *outgoing) find(key string) int {
	return slices.IndexFunc(o.set, func(f field) bool { return f.key == key })
}

// metadata returns all of the header.
func (o *outgoing) metadata() metadata.MD {
	md, ok := metadata.FromOutgoingContext(o.ctx)
	if !ok {
		md = make(metadata.MD, len(o.set))
	}
	for _, f := range o.set {
		received(md).Set(f.key, f.values...)
	}
	return md
}

// prepare runs the hooks, and returns the context for grpc-go. It fails for what gRPC cannot carry.
func (o *outgoing) prepare(hooks []func(context.Context, transport.Header) context.Context) (call context.Context, err error) {
	for _, hook := range hooks {
		o.ctx = hook(o.ctx, o)
	}
	transport.SetOutgoing(o.ctx, o)
	if len(o.set) == 0 {
		return o.ctx, nil
	}
	for _, f := range o.set {
		if err := checkField(f.key, f.values); err != nil {
			return o.ctx, err
		}
	}
	return metadata.NewOutgoingContext(o.ctx, o.metadata()), nil
}
