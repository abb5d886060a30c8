package grpctransport_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	testpb "google.golang.org/grpc/interop/grpc_testing"

	grpctransport "github.com/ashlar-go/ashlar/transport/grpc"
)

// What is compared: the same service by Ashlar, by grpc-go with Ashlar's options, and by grpc-go as it comes.
const (
	ashlar = "ashlar"
	same   = "same"
	plain  = "plain"

	workersOf = "workers=" // Ashlar with another number of workers
)

// rivalServer returns the server of that kind.
func rivalServer(kind string) *grpc.Server {
	var opts []grpctransport.GRPCOption
	workers, measured := strings.CutPrefix(kind, workersOf)
	if measured {
		n, err := strconv.ParseUint(workers, 10, 32)
		if err != nil {
			return nil
		}
		opts = append(opts, grpctransport.GRPCOptions(grpc.NumStreamWorkers(uint32(n))))
	}
	s := grpctransport.NewGRPCServer(opts...)
	switch {
	case kind == ashlar || measured:
		grpctransport.Register(s, grpctransport.NewServer(unarySpec, echo), grpctransport.NewStreamServer(talkSpec, echoes))
		return s.Server
	case kind == plain:
		s.Stop()
		s.Server = grpc.NewServer()
	}
	testpb.RegisterTestServiceServer(s.Server, generated{})
	return s.Server
}

// rivalConn returns a connection of that kind.
func rivalConn(t testing.TB, kind, address string) *grpc.ClientConn {
	t.Helper()
	if kind != plain {
		return dial(t, address)
	}
	conn, err := grpc.NewClient("passthrough:///"+address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// rivalKey is the variable of the environment by which a process knows which server it is.
const rivalKey = "ASHLAR_RIVAL"

// gcPercent is that of what is compared. With Go's default a process that has nothing else in memory collects its garbage some thousand
// times a second, which takes a third of its time; a service has more in memory, and does so less often.
const gcPercent = 800

// serveRival is a process with one server. It says where that listens, and for each line that it reads the processor time that it has used,
// until its input ends.
func serveRival(kind string) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	debug.SetGCPercent(gcPercent)
	s := rivalServer(kind)
	go func() { _ = s.Serve(l) }()
	defer s.Stop()
	fmt.Println(l.Addr())
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		fmt.Println(processorTime().Nanoseconds())
	}
	return lines.Err()
}

// processorTime returns what the process has used.
func processorTime() time.Duration {
	var usage syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// process is a server in a process of its own.
type process struct {
	conn  *grpc.ClientConn
	input io.Writer
	lines *bufio.Scanner
}

// startRival starts the server of that kind, and ends it with the test.
func startRival(t testing.TB, kind string) *process {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), rivalKey+"="+kind)
	cmd.Stderr = os.Stderr
	input, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	output, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = input.Close()
		_ = cmd.Wait()
	})
	p := &process{input: input, lines: bufio.NewScanner(output)}
	p.conn = rivalConn(t, kind, p.line(t))
	return p
}

func (p *process) line(t testing.TB) string {
	t.Helper()
	if !p.lines.Scan() {
		t.Fatalf("the server said nothing: %v", p.lines.Err())
	}
	return strings.TrimSpace(p.lines.Text())
}

// used returns the processor time of the server.
func (p *process) used(t testing.TB) time.Duration {
	t.Helper()
	if _, err := io.WriteString(p.input, "\n"); err != nil {
		t.Fatal(err)
	}
	ns, err := strconv.ParseInt(p.line(t), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return time.Duration(ns)
}
