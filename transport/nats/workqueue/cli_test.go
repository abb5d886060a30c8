package workqueue_test

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/ashlar-go/ashlar/internal/testserver"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport/nats/workqueue"
)

// The nats command line shows a worker and its dead letters, and publishes one again, as the documentation says.
func TestTheCommandLineInspectsAndReplays(t *testing.T) {
	t.Parallel()
	program := testserver.Program(t, "nats")
	q := newQueue(t)
	home := t.TempDir()
	cli := func(stdin string, args ...string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), program, args...)
		cmd.Env = append(os.Environ(), "NATS_URL="+q.URL, "XDG_CONFIG_HOME="+home, "HOME="+home)
		cmd.Stdin = strings.NewReader(stdin)
		text, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("nats %q: %v\n%s", args, err, text)
		}
		return string(text)
	}
	attempts := make(chan int, 2)
	mended := false
	q.serve(func(_ context.Context, j *job) error {
		attempts <- j.N
		if mended {
			return nil
		}
		mended = true
		return status.New(status.NotFound, "no such image")
	}, workqueue.ServerOrdered(), workqueue.ServerDeadLetter("dead.do"))
	q.put(1)
	receive(t, "the job", attempts)
	q.letter(1)

	info := cli("", "consumer", "info", "JOBS", "worker")
	for _, want := range []string{"Ack Wait: 30.00s", "Max Ack Pending: 1", "Outstanding Acks: "} {
		if !strings.Contains(info, want) {
			t.Errorf("want %q in\n%s", want, info)
		}
	}
	letter := cli("", "stream", "get", "DEAD", "1")
	for _, want := range []string{"Ashlar-Dead-Code: not_found", "Ashlar-Dead-Subject: jobs.do", `"detail":"no such image"`, jobData(1)} {
		if !strings.Contains(letter, want) {
			t.Errorf("want %q in\n%s", want, letter)
		}
	}
	var raw struct{ Data []byte }
	if err := json.Unmarshal([]byte(cli("", "stream", "get", "DEAD", "1", "--json")), &raw); err != nil {
		t.Fatal(err)
	}
	cli(string(raw.Data), "pub", "jobs.do", "--jetstream", "--force-stdin", "--quiet", "-H", "Content-Type:application/json")
	cli("", "stream", "rmm", "DEAD", "1", "-f")
	if n := receive(t, "the job once more", attempts); n != 1 {
		t.Errorf("want the same job, have %d", n)
	}
	q.until("both streams to be empty", func() bool { return q.stored("JOBS") == 0 && q.stored("DEAD") == 0 })
}
