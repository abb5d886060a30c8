package inproc

import (
	"fmt"
	"reflect"
)

// types names the types of an operation's messages.
func types[In, Out any]() string {
	return fmt.Sprintf("%v and %v", reflect.TypeFor[In](), reflect.TypeFor[Out]())
}
