package filewatch_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ashlar-go/ashlar/internal/filewatch"
)

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestFilesAreTakenTogetherWhenTheyStayTheSame(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a"), filepath.Join(dir, "b")
	write(t, a, "1")
	write(t, b, "2")
	p := filewatch.New([]string{a, b}, func(_ []string, contents [][]byte, _ time.Time) (*string, error) {
		text := string(contents[0]) + string(contents[1])
		if strings.Contains(text, "bad") {
			return nil, errors.New("it is bad")
		}
		return &text, nil
	})
	now := time.Now()
	look := func(quick bool, want, wantErr string) {
		t.Helper()
		now = now.Add(time.Second)
		value, err := p.Check(now, quick)
		p.Remember(err)
		have := ""
		if value != nil {
			have = *value
		}
		if have != want || (err == nil) != (wantErr == "") || err != nil && !strings.Contains(err.Error(), wantErr) {
			t.Errorf("want %q and %q, have %q and %v", want, wantErr, have, err)
		}
	}
	look(true, "12", "")
	look(false, "", "")
	write(t, a, "3")
	look(false, "", "") // not yet
	write(t, b, "4")
	look(false, "", "")
	look(false, "34", "")
	write(t, b, "bad")
	look(false, "", "")
	look(false, "", "bad")
	if p.Trouble() == nil {
		t.Error("want the failure to last")
	}
	write(t, b, "4") // what is in use: nothing new, and no trouble
	look(false, "", "")
	look(false, "", "")
	if p.Trouble() != nil || p.Loads() != 2 {
		t.Errorf("want no trouble after two loads, have %v after %d", p.Trouble(), p.Loads())
	}
	if err := os.Remove(a); err != nil {
		t.Fatal(err)
	}
	look(false, "", "") // it may be between two names
	look(false, "", "no such file")
	look(true, "", "no such file")
	if err := os.Mkdir(a, 0o700); err != nil {
		t.Fatal(err)
	}
	look(true, "", "no regular file")
	_ = os.Remove(a)
	write(t, a, strings.Repeat("x", 4<<20+1))
	look(true, "", "want 4194304 at most")
}
