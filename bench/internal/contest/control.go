package contest

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/pprof"
)

// Command is one line from the harness, in JSON. The contestant answers each with one line.
type Command struct {
	Do    string // "begin", "usage", "run", "profile", "stop" or "heap"
	Body  string // of "run": the name of the body
	Count int    // of "run": how many calls
	Conns int    // of "run": how many at once
	File  string // of "profile" and "heap": where the profile goes
}

// Reply is the answer to a Command.
type Reply struct {
	Usage Usage
	Error string
}

// Hello is the first line of a contestant.
type Hello struct {
	Address string // what a server listens on
}

// run carries out "run" commands; a server has none.
type run func(Command) error

func serve(hello Hello, run run) error {
	out := json.NewEncoder(os.Stdout)
	if err := out.Encode(hello); err != nil {
		return err
	}
	var profile *os.File
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		var c Command
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			return fmt.Errorf("command %q: %w", lines.Bytes(), err)
		}
		var reply Reply
		if err := do(c, run, &profile, &reply); err != nil {
			reply.Error = err.Error()
		}
		if err := out.Encode(reply); err != nil {
			return err
		}
	}
	return nil
}

func do(c Command, run run, profile **os.File, reply *Reply) (err error) {
	switch c.Do {
	case "begin":
		runtime.GC() // so that no round pays for the one before it
		reply.Usage, err = usage()
	case "usage":
		reply.Usage, err = usage()
	case "run":
		if run == nil {
			return fmt.Errorf("a server cannot run")
		}
		err = run(c)
	case "profile":
		if *profile, err = os.Create(c.File); err != nil {
			return err
		}
		err = pprof.StartCPUProfile(*profile)
	case "stop":
		pprof.StopCPUProfile()
		err = (*profile).Close()
	case "heap":
		err = heap(c.File)
	default:
		err = fmt.Errorf("unknown command %q", c.Do)
	}
	return err
}

func heap(name string) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	runtime.GC()
	return closing(f, pprof.Lookup("allocs").WriteTo(f, 0))
}

func closing(c io.Closer, err error) error {
	if closeErr := c.Close(); err == nil {
		err = closeErr
	}
	return err
}
