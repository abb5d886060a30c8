package httptransport

import (
	"fmt"
	"reflect"
)

// apply applies options, of any of the sides, to what they set up.
func apply[C any, O ~func(*C) error](config *C, opts []O) error {
	if err := refuseNil("the list of options", opts); err != nil {
		return err
	}
	for _, opt := range opts {
		if err := opt(config); err != nil {
			return err
		}
	}
	return nil
}

// refuseNil refuses a nil function among those that an option was given.
func refuseNil[F any](option string, functions []F) error {
	for i, f := range functions {
		if reflect.ValueOf(f).IsNil() {
			return fmt.Errorf("%s: function %d is nil", option, i)
		}
	}
	return nil
}

// typed returns the function that an option holds, which is checked when the server or client is built.
func typed[F any](option string, f any) (F, error) {
	want, ok := f.(F)
	if f != nil && !ok {
		return want, fmt.Errorf("%s is a %v, want %v", option, reflect.TypeOf(f), reflect.TypeFor[F]())
	}
	return want, nil
}

// set returns the name of an option for streams that was given, "" for none.
func (s serverStreams) set() string {
	switch {
	case s.heartbeat != defaultServerStreams.heartbeat:
		return "ServerHeartbeat"
	case s.write != defaultServerStreams.write:
		return "ServerWriteTimeout"
	case s.ping != defaultServerStreams.ping:
		return "ServerPing"
	case len(s.origins) > 0:
		return "ServerOrigins"
	}
	return ""
}
