package transporttest_test

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/ashlar-go/ashlar/codec"
	"github.com/ashlar-go/ashlar/codec/json"
	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
	"github.com/ashlar-go/ashlar/transport/inproc"
	"github.com/ashlar-go/ashlar/transport/transporttest"
)

// changed changes a copy of each error that a client gets.
func changed(change func(e *status.Error)) func(s stream, spec endpoint.Spec) stream {
	return returning(func(err error) error {
		e := status.As(err)
		if e == nil {
			return err
		}
		c := *e
		change(&c)
		return &c
	})
}

// recoded turns one code into another.
func recoded(from, to status.Code) func(s stream, spec endpoint.Spec) stream {
	return changed(func(e *status.Error) {
		if e.Code == from {
			e.Code = to
		}
	})
}

// withCodec sends messages through another codec.
func withCodec(by codec.Codec) func(h *transporttest.Harness) {
	return func(h *transporttest.Harness) { h.Open = openInproc(inproc.ClientCopy(by)) }
}

// badCodec is a codec that is changed in one place.
type badCodec struct {
	codec.Codec

	encode func(err error) error
	decode func(err error) error
}

func (c badCodec) Append(dst []byte, v any) ([]byte, error) {
	dst, err := c.Codec.Append(dst, v)
	if err != nil && c.encode != nil {
		err = c.encode(err)
	}
	return dst, err
}

func (c badCodec) Decode(data []byte, v any) error {
	err := c.Codec.Decode(data, v)
	if err != nil && c.decode != nil {
		err = c.decode(err)
	}
	return err
}

func brokenErrors() []breakage {
	sound := transporttest.Codec(json.New())
	return []breakage{{
		name:   "confuses two codes",
		notice: []string{"Codes"},
		client: recoded(status.DataLoss, status.Aborted),
	}, {
		name:   "loses reasons",
		notice: []string{"ErrorFields"},
		client: changed(func(e *status.Error) { e.Reason = "" }),
	}, {
		name:   "loses the time to wait",
		notice: []string{"ErrorFields"},
		client: changed(func(e *status.Error) { e.RetryAfter = 0 }),
	}, {
		name:   "loses details",
		notice: []string{"ErrorFields"},
		client: changed(func(e *status.Error) { e.Details = nil }),
	}, {
		name:   "cuts long errors",
		notice: []string{"ErrorFields"},
		client: changed(func(e *status.Error) { e.Violations = e.Violations[:min(len(e.Violations), 8)] }),
	}, {
		name:   "loses violations",
		notice: []string{"ErrorFields", "Validation", "GarbledField"},
		client: changed(func(e *status.Error) { e.Violations = nil }),
	}, {
		name:   "loses IDs",
		notice: []string{"ErrorFields", "HiddenError", "Panics", "UnencodableResponse"},
		client: changed(func(e *status.Error) { e.ID = "" }),
	}, {
		name:   "shows what a status is wrapped in",
		notice: []string{"WrappedStatus", "ErrorHandlers"},
		server: ending(func(err error) error {
			if e := status.As(err); e != nil && e != err { //nolint:errorlint // whether it is wrapped
				return &status.Error{Code: e.Code, Message: err.Error(), Cause: err}
			}
			return err
		}),
	}, {
		name:   "shows any error",
		notice: []string{"HiddenError", "Panics", "UnencodableResponse"},
		server: ending(func(err error) error {
			if status.As(err) == nil && status.CodeOf(err) == status.Internal {
				return &status.Error{Code: status.Internal, Message: err.Error(), ID: "1", Cause: err}
			}
			return err
		}),
	}, {
		name:   "takes a passed deadline for a defect",
		notice: []string{"ContextErrors", "Timeout"},
		server: ending(func(err error) error {
			if status.As(err) == nil && errors.Is(err, context.DeadlineExceeded) {
				return errors.New("too late")
			}
			return err
		}),
	}, {
		name:   "passes on codes that do not exist",
		notice: []string{"UnknownCodes"},
		client: changed(func(e *status.Error) {
			if e.Code == status.Unknown && e.Message == "strange" {
				e.Code = 77
			}
		}),
	}, {
		name:   "swallows the error of a stream that has begun",
		notice: []string{"ErrorAfterMessages", "PanicAfterMessages", "UnencodableResponse"},
		client: func(s stream, _ endpoint.Spec) stream {
			return func(ctx context.Context, in inSeq, out func(message) error) error {
				some := false
				err := s(ctx, in, func(m message) error { some = true; return out(m) })
				if e := status.As(err); some && e != nil && e.Code != status.Canceled && e.Cause == nil {
					return nil
				}
				return err
			}
		},
	}, {
		name:    "decodes anything",
		notice:  []string{"GarbledRequest", "GarbledField", "GarbledResponse"},
		harness: withCodec(badCodec{Codec: sound, decode: func(error) error { return nil }}),
	}, {
		name:    "takes a request that cannot be decoded for a defect of the server",
		notice:  []string{"GarbledRequest", "GarbledField"},
		harness: withCodec(badCodec{Codec: sound, decode: func(err error) error { return errors.New(err.Error()) }}),
	}, {
		name:   "tells why a response could not be encoded",
		notice: []string{"UnencodableResponse"},
		harness: withCodec(badCodec{Codec: sound, encode: func(err error) error {
			return status.New(status.Internal, err.Error())
		}}),
	}, {
		name:   "does not say that nothing was sent",
		notice: []string{"CanceledBefore", "DeadlinePassed", "UnencodableRequest"},
		client: returning(func(err error) error {
			if errors.Is(err, transport.ErrNotSent) {
				return status.As(err).WithCause(fmt.Errorf("not sent: %s", strings.ToUpper(err.Error())))
			}
			return err
		}),
	}, {
		name:   "takes no server for an empty answer",
		notice: []string{"NoServer", "WrongShape"},
		client: returning(func(err error) error {
			if status.CodeOf(err) == status.Unimplemented && errors.Is(err, transport.ErrNotSent) {
				return nil
			}
			return err
		}),
	}}
}
