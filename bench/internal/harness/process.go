// Package harness builds the contestants, runs each as a process of its own, and compares what their work costs.
package harness

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"

	"github.com/ashlar-go/ashlar/bench/internal/contest"
)

const module = "github.com/ashlar-go/ashlar/bench"

// build compiles the packages, given by their paths in this module, into dir.
func build(dir string, packages ...string) error {
	args := []string{"build", "-o", dir + string(filepath.Separator)}
	for _, p := range packages {
		args = append(args, path.Join(module, p))
	}
	cmd := exec.Command("go", args...)
	cmd.Env = append(os.Environ(), "GOWORK=off")
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("building %v: %w", packages, err)
	}
	return nil
}

// process is one contestant that runs.
type process struct {
	name    string
	cmd     *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Reader
	address string
}

// start runs the program, alone on the given processor unless that is negative.
func start(program string, cpu int, args ...string) (*process, error) {
	p := &process{name: filepath.Base(program), cmd: exec.Command(program, args...)}
	p.cmd.Stderr = os.Stderr
	p.cmd.Env = os.Environ()
	if cpu >= 0 {
		p.cmd.Env = append(p.cmd.Env, "GOMAXPROCS=1")
	}
	var err error
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.out = bufio.NewReader(out)
	if err := onCPU(cpu, p.cmd.Start); err != nil {
		return nil, fmt.Errorf("starting %s: %w", p.name, err)
	}
	var hello contest.Hello
	if err := p.read(&hello); err != nil {
		return nil, errors.Join(err, p.close())
	}
	p.address = hello.Address
	return p, nil
}

func (p *process) ask(c contest.Command) (contest.Usage, error) {
	line, err := json.Marshal(c)
	if err != nil {
		return contest.Usage{}, err
	}
	if _, err := p.in.Write(append(line, '\n')); err != nil {
		return contest.Usage{}, fmt.Errorf("%s: %w", p.name, err)
	}
	var reply contest.Reply
	if err := p.read(&reply); err != nil {
		return contest.Usage{}, err
	}
	if reply.Error != "" {
		return contest.Usage{}, fmt.Errorf("%s: %s: %s", p.name, c.Do, reply.Error)
	}
	return reply.Usage, nil
}

func (p *process) read(v any) error {
	line, err := p.out.ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("%s ended: %w", p.name, err)
	}
	return json.Unmarshal(line, v)
}

// close ends the process, and waits for it.
func (p *process) close() error {
	return errors.Join(p.in.Close(), p.cmd.Wait())
}
