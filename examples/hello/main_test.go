package main

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestHelloCallsItselfServesOthersAndStops(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	reader, writer := io.Pipe()
	done := make(chan error, 1)
	go func() { done <- run(ctx, "127.0.0.1:0", writer) }()

	lines := bufio.NewScanner(reader)
	lines.Scan()
	url := strings.Trim(strings.TrimPrefix(lines.Text(), "try: curl "), "'")
	lines.Scan()
	if want, have := "the client got: Hello, newcomer.", lines.Text(); want != have {
		t.Errorf("want %q, have %q", want, have)
	}

	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if want, have := `{"text":"HELLO, Ada!"}`, strings.TrimSpace(string(body)); want != have {
		t.Errorf("want %s, have %s", want, have)
	}

	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
