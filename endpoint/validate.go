package endpoint

import (
	"context"
	"reflect"
	"sync"

	"github.com/ashlar-go/ashlar/status"
)

// Validate refuses requests whose own Validate method returns an error, before the endpoint sees them: InvalidArgument that
// lists every status.Violation in the error, by field (see status.Invalid). The method may have a pointer receiver where the endpoint
// takes a value; it then sees a copy. On a stream each message that the client sends is checked. Requests without the
// method pass, so it is of no use around a server's decoding, where a transport's ServerMiddleware stands. An error without a
// Violation, such as one of errors.New, refuses the request too, but its text stays in the log.
func Validate() Middleware {
	type validator interface{ Validate() error }
	want := reflect.TypeFor[validator]()
	var byPointer sync.Map // reflect.Type to whether only a pointer to it has the method
	return validate(func(request any) error {
		if v, ok := request.(validator); ok {
			return v.Validate()
		}
		t := reflect.TypeOf(request)
		if t == nil || t.Kind() == reflect.Pointer {
			return nil
		}
		has, known := byPointer.Load(t)
		if !known {
			has, _ = byPointer.LoadOrStore(t, reflect.PointerTo(t).Implements(want))
		}
		if has != true {
			return nil
		}
		v, _ := reflect.TypeAssert[validator](pointerTo(request))
		return v.Validate()
	})
}

// ValidateFunc is Validate by a function, for requests whose type cannot have the method. It checks requests of type Req, of the
// type that a pointer Req points to, and pointers to Req. Requests of other types pass, so that it can stand in a chain for all
// endpoints.
func ValidateFunc[Req any](check func(request Req) error) Middleware {
	elem := reflect.TypeFor[Req]()
	if elem.Kind() == reflect.Pointer {
		elem = elem.Elem()
	} else {
		elem = nil
	}
	return validate(func(request any) error {
		if r, ok := request.(Req); ok {
			return check(r)
		}
		if r, ok := request.(*Req); ok && r != nil {
			return check(*r)
		}
		if elem != nil && reflect.TypeOf(request) == elem {
			r, _ := reflect.TypeAssert[Req](pointerTo(request))
			return check(r)
		}
		return nil
	})
}

// pointerTo returns a pointer to a copy of v.
func pointerTo(v any) reflect.Value {
	p := reflect.New(reflect.TypeOf(v))
	p.Elem().Set(reflect.ValueOf(v))
	return p
}

func validate(check func(request any) error) Middleware {
	hook := func(request any) error { return status.Invalid(check(request)) }
	return func(_ Spec, next Handler) Handler {
		return func(ctx context.Context, request any) (any, error) {
			if m, ok := request.(*Messages); ok {
				request = m.WithHooks(hook, nil)
			} else if err := hook(request); err != nil {
				return nil, err
			}
			return next(ctx, request)
		}
	}
}
