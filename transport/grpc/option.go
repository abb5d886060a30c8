package grpctransport

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

// refuseNil refuses a nil among the functions, or interfaces, that an option was given.
func refuseNil[F any](option string, values []F) error {
	for i, f := range values {
		if v := reflect.ValueOf(f); !v.IsValid() || v.Kind() == reflect.Func && v.IsNil() {
			return fmt.Errorf("%s: number %d is nil", option, i)
		}
	}
	return nil
}
