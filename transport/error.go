package transport

import "errors"

// ErrNotSent is found by errors.Is in the error of a call whose request surely never reached the other side, such as a
// connection that was refused. Repeating such a call is safe even when it is not idempotent.
var ErrNotSent = errors.New("the request was not sent")
