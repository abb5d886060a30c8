package grpctransport

import (
	"context"
	"fmt"
	"reflect"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// form is a generated message.
type form struct {
	elem reflect.Type // what a pointer to it points to
	desc protoreflect.MessageDescriptor
}

// formOf returns the form of T, which has to be a pointer to a generated message.
func formOf[T any]() (f form, err error) {
	t := reflect.TypeFor[T]()
	if t.Kind() != reflect.Pointer || !t.Implements(reflect.TypeFor[proto.Message]()) {
		return f, fmt.Errorf("%v is no generated message", t)
	}
	defer func() {
		if recover() != nil { // such as *dynamicpb.Message, which knows what it is only when it has been made
			err = fmt.Errorf("%v is no generated message", t)
		}
	}()
	f.elem = t.Elem()
	f.desc = f.fresh().ProtoReflect().Descriptor()
	if f.desc == nil {
		return f, fmt.Errorf("%v is no generated message", t)
	}
	return f, nil
}

// fresh returns a new message.
func (f *form) fresh() proto.Message {
	return reflect.New(f.elem).Interface().(proto.Message) //nolint:forcetypeassert // formOf has seen that it is
}

// inlet makes values of type T of the messages that come.
type inlet[T any] struct {
	form

	convert func(context.Context, proto.Message) (T, error) // nil: T is the message
}

// value returns what the message stands for.
func (in *inlet[T]) value(ctx context.Context, m proto.Message) (T, error) {
	if in.convert == nil {
		return m.(T), nil //nolint:forcetypeassert // it was made by fresh
	}
	return in.convert(ctx, m)
}

// outlet makes messages of values of type T.
type outlet[T any] struct {
	form

	convert func(context.Context, T) (proto.Message, error) // nil: T is the message
}

// message returns the message that stands for the value.
func (out *outlet[T]) message(ctx context.Context, value T) (proto.Message, error) {
	if out.convert == nil {
		return any(value).(proto.Message), nil //nolint:forcetypeassert // outletOf has seen that it is
	}
	return out.convert(ctx, value)
}

// decoding is what the option of that name holds: which message a value of type T comes in.
func decoding[M proto.Message, T any](option string, decode func(context.Context, M) (T, error)) (*inlet[T], error) {
	f, err := formOf[M]()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", option, err)
	}
	if decode == nil {
		return nil, fmt.Errorf("%s of a nil function", option)
	}
	return &inlet[T]{form: f, convert: func(ctx context.Context, m proto.Message) (T, error) {
		return decode(ctx, m.(M)) //nolint:forcetypeassert // it was made by fresh
	}}, nil
}

// encoding is what the option of that name holds: which message a value of type T is sent in.
func encoding[T any, M proto.Message](option string, encode func(context.Context, T) (M, error)) (*outlet[T], error) {
	f, err := formOf[M]()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", option, err)
	}
	if encode == nil {
		return nil, fmt.Errorf("%s of a nil function", option)
	}
	return &outlet[T]{form: f, convert: func(ctx context.Context, value T) (proto.Message, error) {
		return encode(ctx, value)
	}}, nil
}

// inletOf returns the inlet that the option gave, or that of T itself.
func inletOf[T any](option string, given any) (*inlet[T], error) {
	if given != nil {
		in, ok := given.(*inlet[T])
		if !ok {
			return nil, fmt.Errorf("%s makes another type than %v", option, reflect.TypeFor[T]())
		}
		return in, nil
	}
	f, err := formOf[T]()
	if err != nil {
		return nil, fmt.Errorf("%w; %s would say which message it comes in", err, option)
	}
	return &inlet[T]{form: f}, nil
}

// outletOf returns the outlet that the option gave, or that of T itself.
func outletOf[T any](option string, given any) (*outlet[T], error) {
	if given != nil {
		out, ok := given.(*outlet[T])
		if !ok {
			return nil, fmt.Errorf("%s takes another type than %v", option, reflect.TypeFor[T]())
		}
		return out, nil
	}
	f, err := formOf[T]()
	if err != nil {
		return nil, fmt.Errorf("%w; %s would say which message it is sent in", err, option)
	}
	return &outlet[T]{form: f}, nil
}
