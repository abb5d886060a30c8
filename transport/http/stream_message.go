package httptransport

import (
	"errors"
	"net/http"
	"reflect"

	"github.com/ashlar-go/ashlar/codec"
	"github.com/ashlar-go/ashlar/status"
)

// EventIDer is a message of a server stream that has an id as a server-sent event. A client that comes back sends the last
// one that it has seen in the header field Last-Event-ID, which a request binds with `header:"Last-Event-ID"`. One with the id "" has none.
type EventIDer interface{ EventID() string }

// EventNamer is a message of a server stream that has a name as a server-sent event: the type of event that a listener of
// EventSource asks for. The names end, error, open and problem are taken. Without one a message is of the type message.
type EventNamer interface{ EventName() string }

// EventSetter is a message that a client with ClientSSE tells the id, which is that of the last event that had one, and the name of
// the event that it came in.
type EventSetter interface{ SetEvent(id, name string) }

// outlet makes messages of one stream ready to be encoded.
type outlet[T any] struct {
	slot   *T
	direct bool // what an interface holds of a T is no copy
}

func newOutlet[T any]() outlet[T] {
	kind := reflect.TypeFor[T]().Kind()
	return outlet[T]{slot: new(T), direct: kind == reflect.Pointer || kind == reflect.Interface}
}

// value returns the message for a codec, which is done with it when the next one comes.
func (o *outlet[T]) value(message T) any {
	if o.direct {
		return message
	}
	*o.slot = message
	return o.slot
}

// inlet makes the messages of one stream out of encoded ones.
type inlet[T any] struct {
	plan *plan        // nil on the client, where all of a message is in its encoding
	elem reflect.Type // what T points to, nil when it is no pointer
	slot *T
}

func newInlet[T any](p *plan) inlet[T] {
	in := inlet[T]{plan: p, slot: new(T)}
	if t := reflect.TypeFor[T](); t.Kind() == reflect.Pointer {
		in.elem = t.Elem()
	}
	return in
}

// read decodes data with c. Fields that are bound come from r, the request that opened the stream. Target points to the message.
func (in *inlet[T]) read(c codec.Codec, data []byte, r *http.Request) (message T, target any, err error) {
	if in.elem != nil {
		target = reflect.New(in.elem).Interface()
		message, _ = target.(T)
	} else {
		*in.slot = message
		target = in.slot
	}
	if in.plan == nil {
		err = c.Decode(data, target)
	} else {
		err = in.bind(c, data, r, target)
	}
	if in.elem == nil {
		message = *in.slot
	}
	return message, target, err
}

// bind fills in the target as binder.bind does. Its errors are for the caller.
func (in *inlet[T]) bind(c codec.Codec, data []byte, r *http.Request, target any) error {
	var wrong []error
	into := target
	if in.plan.body == bodyField {
		into = reflect.ValueOf(target).Elem().FieldByIndex(in.plan.index).Addr().Interface()
	}
	if err := c.Decode(data, into); err != nil {
		if _, ok := errors.AsType[*codec.DecodeError](err); !ok {
			return err
		}
		wrong = append(wrong, violation(err))
	}
	if len(in.plan.fields) > 0 {
		wrong = in.plan.bindFields(reflect.ValueOf(target).Elem(), r, wrong)
	}
	if len(wrong) > 0 {
		return status.Invalid(errors.Join(wrong...))
	}
	return nil
}

// jsonOf returns the codec of the set that reads and writes JSON.
func jsonOf(set *codec.Set) (codec.Codec, error) {
	c, err := set.ForType(jsonType)
	if err != nil {
		return nil, errors.New("NDJSON and server-sent events need a codec for " + jsonType)
	}
	return c, nil
}

const jsonType = "application/json"
