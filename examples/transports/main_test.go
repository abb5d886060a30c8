package main

import (
	"os"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/ashlar-go/ashlar/log"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestEachTransportAnswersAlikeAndAsDocumented(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	if err := run(t.Context(), &out, log.New(t.Output())); err != nil {
		t.Fatal(err)
	}
	answers := strings.Split(out.String(), ", over ")[1:]
	for i, name := range []string{"inproc", "http", "grpc", "nats"} {
		_, have, _ := strings.Cut(answers[i], "\n")
		_, want, _ := strings.Cut(answers[0], "\n")
		if !strings.HasPrefix(answers[i], name+"\n") || strings.TrimSuffix(have, "2 of granite") != strings.TrimSuffix(want, "2 of granite") {
			t.Errorf("%s: want %q, have %q", name, want, answers[i])
		}
	}
	page, err := os.ReadFile("../../docs/transports.md")
	if err != nil || !strings.Contains(string(page), out.String()) {
		t.Errorf("docs/transports.md does not show what the program prints, %v:\n%s", err, out.String())
	}
}
