package jsonrpc

import (
	"github.com/ashlar-go/ashlar/codec"
	"github.com/ashlar-go/ashlar/codec/json"
	"github.com/ashlar-go/ashlar/internal/option"
	httptransport "github.com/ashlar-go/ashlar/transport/http"
)

// ClientOption sets up a client of one method. Options of the same name append to each other, in order, unless they say otherwise.
type ClientOption func(*clientConfig) error

type clientConfig struct {
	name       string // empty: the operation
	codec      codec.Codec
	byPosition bool
	http       []httptransport.ClientOption
}

func newClientConfig(opts []ClientOption) (*clientConfig, error) {
	c := new(clientConfig)
	if err := option.Set(c, opts); err != nil {
		return nil, err
	}
	if c.codec == nil {
		c.codec = json.New()
	}
	return c, nil
}

// ClientName sets the name of the method on the server. The default is spec.Operation(), such as "orders/Place". It replaces an
// earlier one.
func ClientName(name string) ClientOption {
	return func(c *clientConfig) error {
		c.name = name
		return refuseName("ClientName", name)
	}
}

// ClientCodec sets the codec that writes params and reads results, which must be one for application/json. The default is that of
// codec/json. It replaces an earlier one.
func ClientCodec(by codec.Codec) ClientOption {
	return func(c *clientConfig) error {
		c.codec = by
		return refuseCodec("ClientCodec", by)
	}
}

// ClientByPosition sends a request that is a struct as an array of its fields in their order, and not as an object. It fails for other
// requests, whose type says how they are sent.
func ClientByPosition() ClientOption {
	return func(c *clientConfig) error {
		c.byPosition = true
		return nil
	}
}

// ClientHTTP adds options for the HTTP requests: hooks, such as httptransport.ClientBefore, and httptransport.ClientMaxResponse. The
// options that set codecs, encoders and decoders are not for this. It is for NewClient and NewNotifier; NewBatcher takes such options
// itself.
func ClientHTTP(opts ...httptransport.ClientOption) ClientOption {
	return func(c *clientConfig) error {
		c.http = append(c.http, opts...)
		return option.RefuseNil("ClientHTTP", opts)
	}
}
