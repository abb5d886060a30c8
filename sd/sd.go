// Package sd finds the instances of a service, and announces them.
//
// An Instancer watches the instances of one service in a registry, and a Registrar puts instances there. Each registry has a driver
// of its own below this package. Static, Merge and Filter make Instancers of others, and a Cache lets any number of consumers share
// one watch.
//
// What is here only says where the instances are: package lb keeps connections to them, and chooses one for each call.
package sd

import (
	"context"
	"errors"
	"iter"
)

// Instancer watches the instances of one service. It is safe for concurrent use; suite sd/sdtest checks what follows.
type Instancer interface {
	// Watch yields the set of instances as soon as it is known, also when it is empty, and then each time that it has changed. A set is
	// always the whole of it, and is the newest: what came and went while the loop was busy is not seen. It is as Normalize makes it,
	// and must not be changed.
	//
	// An error comes with a nil set, and says what is wrong: the registry cannot be reached, or an entry is no instance
	// (*InvalidError). It ends nothing. The set that was yielded last stays in force, and the watch goes on by itself, with growing
	// delays. The next set after an error is yielded also when it equals the last, and says that the registry is back; else no set
	// equals the one before it.
	//
	// The loop ends when ctx does, without a last error, or when it is left; then nothing of the watch remains.
	Watch(ctx context.Context) iter.Seq2[[]Instance, error]
}

// ErrReplaced is what those who are told the errors of a Registrar get once when another registration of the same ID has replaced
// theirs, here or elsewhere. It rests then, and comes back when the other is gone.
var ErrReplaced = errors.New("sd: another registration of the same ID has replaced it")

// Registrar announces instances of one service. It is safe for concurrent use; suite sd/sdtest checks what follows.
type Registrar interface {
	// Register announces the instance and keeps it announced, also when the registry has lost it, until deregister is called or ctx
	// ends, whichever is first. It returns when the registry has it, with an error when that fails or takes longer than the driver's
	// limit; then it has waited a little until nothing of the instance remains. Registering an ID again, from here or elsewhere,
	// replaces what is there, and deregistering what was replaced withdraws nothing.
	//
	// Deregister withdraws it, waits for that, and returns the error of it; ctx limits the wait. To call it again, or after the end
	// of the context of Register, is harmless: it waits, and returns what came of it.
	Register(ctx context.Context, instance Instance) (deregister func(ctx context.Context) error, err error)
}
