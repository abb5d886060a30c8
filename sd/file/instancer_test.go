package file_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ashlar-go/ashlar/sd/file"
	"github.com/ashlar-go/ashlar/sd/internal/watchtest"
)

func watch(t *testing.T, path string, opts ...file.InstancerOption) *watchtest.Watch {
	t.Helper()
	i, err := file.NewInstancer(path, "s", opts...)
	if err != nil {
		t.Fatal(err)
	}
	return watchtest.Start(t, i)
}

// wantError wants the next to be an error.
func wantError(t *testing.T, w *watchtest.Watch, text string) {
	t.Helper()
	if err := w.Fails(); !strings.Contains(err.Error(), text) {
		t.Errorf("want an error with %q, have %v", text, err)
	}
}

func text(address string) []byte { return []byte(`{"s": [{"address": "` + address + `"}]}`) }

func write(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func must(t *testing.T, errs ...error) {
	t.Helper()
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
}

// never is a poll that no test waits for.
func never() file.InstancerOption { return file.InstancerPoll(time.Hour) }

func TestChangesAreSeenAtOnce(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "instances.json")
	write(t, path, text("a:1"))
	w := watch(t, path, never())
	watchtest.WantAddresses(t, w.Set(), "a:1")
	change := map[string]func(data []byte){
		"written":  func(data []byte) { write(t, path, data) },
		"replaced": func(data []byte) { must(t, replace(path, data)) },
		"deleted and written": func(data []byte) {
			must(t, os.Remove(path))
			write(t, path, data)
		},
	}
	for how, f := range change {
		for _, address := range []string{"a:2", "a:3"} {
			f(text(address))
			began := time.Now()
			watchtest.WantAddresses(t, w.Set(), address)
			if took := time.Since(began); took > 2*time.Second {
				t.Errorf("%s: want it seen at once, have %v", how, took)
			}
		}
	}
	write(t, path, append(text("a:3"), '\n')) // which is the same
	write(t, path, text("a:4"))
	watchtest.WantAddresses(t, w.Set(), "a:4")
}

func TestAFileIsFollowedThroughItsLinks(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	volume := func(name, address string) {
		must(t, os.Mkdir(filepath.Join(dir, name), 0o700))
		write(t, filepath.Join(dir, name, "instances.json"), text(address))
	}
	swap := func(name string) { // as Kubernetes does it with a ConfigMap
		must(t, os.Symlink(name, filepath.Join(dir, "..data_tmp")), os.Rename(filepath.Join(dir, "..data_tmp"), filepath.Join(dir, "..data")))
	}
	volume("..1", "a:1")
	swap("..1")
	path := filepath.Join(dir, "instances.json")
	must(t, os.Symlink(filepath.Join("..data", "instances.json"), path))
	w := watch(t, path, never())
	watchtest.WantAddresses(t, w.Set(), "a:1")
	for n, name := range []string{"..2", "..3", "..4"} {
		address := "b:" + name[2:]
		volume(name, address)
		swap(name)
		must(t, os.RemoveAll(filepath.Join(dir, ".."+string(rune('1'+n)))))
		watchtest.WantAddresses(t, w.Set(), address)
	}
	write(t, filepath.Join(dir, "..4", "instances.json"), text("c:1")) // in the directory that the link leads to
	watchtest.WantAddresses(t, w.Set(), "c:1")
}

func TestWhatTheSystemDoesNotTellIsSeenByLooking(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, name := range []string{"a", "b", "c"} {
		must(t, os.Mkdir(filepath.Join(dir, name), 0o700))
	}
	link := func(name string) {
		must(t, os.Symlink(filepath.Join(dir, "c", name), filepath.Join(dir, "b", "new")),
			os.Rename(filepath.Join(dir, "b", "new"), filepath.Join(dir, "b", "link"))) // in a directory that is neither that of the path nor of the file
	}
	write(t, filepath.Join(dir, "c", "1"), text("a:1"))
	write(t, filepath.Join(dir, "c", "2"), text("a:2"))
	link("1")
	path := filepath.Join(dir, "a", "instances.json")
	must(t, os.Symlink(filepath.Join(dir, "b", "link"), path))
	w := watch(t, path, file.InstancerPoll(50*time.Millisecond))
	watchtest.WantAddresses(t, w.Set(), "a:1")
	link("2")
	watchtest.WantAddresses(t, w.Set(), "a:2")
}

func TestAFileThatIsNotValidKeepsTheLastSet(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "instances.json")
	w := watch(t, path, never(), file.InstancerMaxSize(1000))
	wantError(t, w, "file: "+path+": stat "+path+": no such file or directory")
	write(t, path, text("a:1"))
	watchtest.WantAddresses(t, w.Set(), "a:1")
	for data, text := range map[string]string{
		`{"s": [{"zoen": "a:2"}]}`:  `: line 1, column 9: the field "zoen" is not known`,
		`{"s": [{"address": "a:2"}`: ": line 1, column 26: it ends too soon",
		"":                          ": it is empty",
		string(text("a:2")) + strings.Repeat(" ", 1000): ": it has more than 1000 bytes",
	} {
		write(t, path, []byte(data))
		wantError(t, w, text)
		write(t, path, []byte(data+" ")) // which is the same mistake
		write(t, path, []byte(`{"s": [{"address": "a:1"}]}`))
		watchtest.WantAddresses(t, w.Set(), "a:1") // it is back
	}
	for _, other := range []func() error{
		func() error { return os.Mkdir(path, 0o700) },
		func() error { return syscall.Mkfifo(path, 0o600) }, // which would keep whoever opens it
	} {
		must(t, os.Remove(path))
		wantError(t, w, "no such file or directory")
		must(t, other())
		wantError(t, w, "it is no regular file")
		must(t, os.Remove(path))
		wantError(t, w, "no such file or directory")
		write(t, path, text("a:1"))
		watchtest.WantAddresses(t, w.Set(), "a:1")
	}
}

func TestADirectoryMayComeLater(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "later", "still")
	path := filepath.Join(dir, "instances.json")
	w := watch(t, path, never())
	wantError(t, w, "no such file or directory")
	must(t, os.MkdirAll(dir, 0o700))
	write(t, path, text("a:1"))
	watchtest.WantAddresses(t, w.Set(), "a:1")
	must(t, os.RemoveAll(dir))
	wantError(t, w, "no such file or directory")
	must(t, os.MkdirAll(dir, 0o700))
	write(t, path, text("a:1"))
	watchtest.WantAddresses(t, w.Set(), "a:1")
	write(t, path, text("a:2"))
	watchtest.WantAddresses(t, w.Set(), "a:2")
}

func TestAWriterMayTakeItsTime(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "instances.json")
	write(t, path, text("a:1"))
	w := watch(t, path, never())
	watchtest.WantAddresses(t, w.Set(), "a:1")
	data := text("a:2")
	f, err := os.Create(path)
	must(t, err)
	for chunk := range slices.Chunk(data, 5) { // all of it within what is waited for
		_, err := f.Write(chunk)
		must(t, err)
	}
	must(t, f.Close())
	watchtest.WantAddresses(t, w.Back(), "a:2") // after an error on a busy machine
}

// A writer who empties the file before each write is not reported, though at each time the file is seen to be empty.
func TestAFileThatIsEmptyForAMomentIsNoErrorTheNextTimeEither(t *testing.T) {
	t.Parallel()
	const attempts = 20 // since on a busy machine the moment is a long one
	path := filepath.Join(t.TempDir(), "instances.json")
	for range attempts {
		write(t, path, text("a:1"))
		w := watch(t, path, never())
		watchtest.WantAddresses(t, w.Set(), "a:1")
		var have []watchtest.Event
		for range 2 {
			write(t, path, nil)
			have = append(have, w.During(40*time.Millisecond)...) // it is looked at after 20 ms, and again 50 ms later
			write(t, path, text("a:1"))
			have = append(have, w.During(200*time.Millisecond)...)
		}
		w.End()
		if len(have) == 0 {
			return
		}
		t.Log(have)
	}
	t.Error("want no error")
}

func TestAnEmptyFileIsAnErrorAtFirstToo(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "instances.json")
	write(t, path, nil)
	w := watch(t, path, never())
	wantError(t, w, "it is empty")
	write(t, path, text("a:1"))
	watchtest.WantAddresses(t, w.Set(), "a:1")
}

func TestConstructorRefusesWhatIsWrong(t *testing.T) {
	t.Parallel()
	instancer := func(path, service string, opts ...file.InstancerOption) error {
		_, err := file.NewInstancer(path, service, opts...)
		return err
	}
	for want, err := range map[string]error{
		"file: NewInstancer: the path of the file is empty":          instancer("", "s"),
		"file: NewInstancer: sd: the name of the service is empty":   instancer("x", ""),
		"InstancerMaxSize(0): want 1 to 1073741824":                  instancer("x", "s", file.InstancerMaxSize(0)),
		"InstancerPoll(1ms): want 10ms to 1h0m0s":                    instancer("x", "s", file.InstancerPoll(time.Millisecond)),
		"InstancerPoll(2h0m0s): want 10ms to 1h0m0s":                 instancer("x", "s", file.InstancerPoll(2*time.Hour)),
		"file: NewInstancer: the list of options: function 0 is nil": instancer("x", "s", nil),
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %s, have %v", want, err)
		}
	}
}
