package tlsconfig_test

import (
	"crypto/tls"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ashlar-go/ashlar/internal/testcert"
	tlsconfig "github.com/ashlar-go/ashlar/transport/tls"
)

// watched returns a source of the files that is watched as by default, and a function that returns what it told since the last time. In a
// bubble of synctest the clock moves only when the test sleeps.
func watched(t *testing.T, f files) (s *tlsconfig.Source, events func() []tlsconfig.Event) {
	t.Helper()
	var mu sync.Mutex
	var told []tlsconfig.Event
	s = source(t, f, tlsconfig.SourceInterval(tlsconfig.DefaultInterval), tlsconfig.SourceOnEvent(func(e tlsconfig.Event) {
		mu.Lock()
		defer mu.Unlock()
		told = append(told, e)
	}))
	events = func() (since []tlsconfig.Event) {
		synctest.Wait()
		mu.Lock()
		defer mu.Unlock()
		since, told = told, nil
		return since
	}
	events()
	return s, events
}

// bubbled makes certificates that are valid in a bubble, whose clock begins in the year 2000.
func bubbled(l testcert.Leaf) testcert.Leaf {
	l.NotBefore, l.NotAfter = time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2040, 1, 1, 0, 0, 0, 0, time.UTC)
	return l
}

func kinds(events []tlsconfig.Event) string {
	var all []string
	for _, e := range events {
		all = append(all, e.Kind.String())
	}
	return strings.Join(all, " ")
}

func TestAChangeIsTakenWithinASecondAndNotTwice(t *testing.T) {
	t.Parallel()
	root := testcert.New(t, "root")
	f := newFiles(t).put(t, root.Issue(t, bubbled(leaf())), root)
	synctest.Test(t, func(t *testing.T) {
		s, events := watched(t, f)
		time.Sleep(time.Minute)
		if have := events(); len(have) != 0 {
			t.Errorf("want nothing told of files that stay, have %v", have)
		}
		for range 3 {
			pair := root.Issue(t, bubbled(leaf()))
			f.put(t, pair, nil)
			time.Sleep(time.Second)
			if want, have := pair.Certificate.SerialNumber.Text(16), s.Status().SerialNumber; want != have {
				t.Errorf("want %s, have %s", want, have)
			}
			if want, have := "loaded", kinds(events()); want != have {
				t.Errorf("want %q, have %q", want, have)
			}
		}
		f.put(t, nil, testcert.New(t, "root"))
		time.Sleep(time.Second)
		if have := s.Status(); have.Reloads != 4 || have.Err != nil || kinds(events()) != "loaded" {
			t.Errorf("want four reloads, have %+v", have)
		}
	})
}

func TestHalfOfAPairIsNeverTaken(t *testing.T) {
	t.Parallel()
	root := testcert.New(t, "root")
	middle := root.Intermediate(t, "middle")
	old, pair := root.Issue(t, bubbled(leaf())), middle.Issue(t, bubbled(leaf()))
	f := newFiles(t).put(t, old, root)
	cert, key := pair.CertPEM(), pair.KeyPEM(t)
	synctest.Test(t, func(t *testing.T) {
		s, events := watched(t, f)
		for name, texts := range map[string][2][]byte{
			"the certificate first": {cert, old.KeyPEM(t)}, "the key first": {old.CertPEM(), key}, "half a certificate": {cert[:300], old.KeyPEM(t)},
			"half a chain": {cert[:len(cert)-100], key}, "half a key": {cert, key[:80]}, "an empty file": {nil, key}, "garbage": {[]byte("garbage"), key},
			"one that has ended": {root.Expired(t, leaf()).CertPEM(), key},
		} {
			overwrite(t, f.cert, texts[0])
			overwrite(t, f.key, texts[1])
			time.Sleep(10 * time.Second)
			if want, have := old.Certificate.SerialNumber.Text(16), s.Status().SerialNumber; want != have || s.Status().Err == nil {
				t.Errorf("%s: want the old one and an error, have another one, %v", name, s.Status().Err)
			}
			if want, have := "failed", kinds(events()); want != have {
				t.Errorf("%s: want %q, once, have %q", name, want, have)
			}
			if err := s.Reload(); err == nil || s.Status().Reloads != 0 {
				t.Errorf("%s: want it refused on demand, too, have %v", name, err)
			}
			f.put(t, old, nil)
			time.Sleep(time.Second)
			if err := s.Status().Err; err != nil {
				t.Errorf("%s: want no error when the old one is back, have %v", name, err)
			}
			events()
		}
		// A chain in whose midst the writer pauses, for less than it takes to believe a file.
		whole := len(cert) - len(middle.CertPEM())
		overwrite(t, f.key, key)
		for _, end := range []int{whole, len(cert)} {
			overwrite(t, f.cert, cert[:end])
			time.Sleep(tlsconfig.DefaultInterval)
			if want, have := old.Certificate.SerialNumber.Text(16), s.Status().SerialNumber; want != have {
				t.Error("want a file not to be taken while it grows")
			}
		}
		time.Sleep(time.Second)
		if want, have := pair.Certificate.SerialNumber.Text(16), s.Status().SerialNumber; want != have || s.Status().Err != nil {
			t.Errorf("want the new one, %v", s.Status().Err)
		}
		if want, have := "loaded", kinds(events()); want != have {
			t.Errorf("want no more than %q, have %q", want, have)
		}
	})
}

func TestAFileThatIsGoneForAMomentIsNoFailure(t *testing.T) {
	t.Parallel()
	root := testcert.New(t, "root")
	f := newFiles(t).put(t, root.Issue(t, bubbled(leaf())), root)
	synctest.Test(t, func(t *testing.T) {
		s, events := watched(t, f)
		away := f.roots + ".away"
		for lasts, want := range map[time.Duration]string{tlsconfig.DefaultInterval: "", time.Minute: "failed"} {
			if err := os.Rename(f.roots, away); err != nil {
				t.Fatal(err)
			}
			time.Sleep(lasts)
			if have := kinds(events()); want != have || (s.Status().Err == nil) != (want == "") || s.Status().Roots != 1 {
				t.Errorf("gone for %v: want %q, have %q, %+v", lasts, want, have, s.Status())
			}
			if err := os.Rename(away, f.roots); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Minute)
			if have := kinds(events()); have != "" || s.Status().Err != nil {
				t.Errorf("want no trouble when it is back, have %q, %v", have, s.Status().Err)
			}
		}
	})
}

func TestACertificateIsTakenWhenItsTimeComes(t *testing.T) {
	t.Parallel()
	root := testcert.New(t, "root")
	first := bubbled(leaf())
	first.NotAfter = time.Date(2000, 1, 1, 0, 2, 0, 0, time.UTC)
	later := bubbled(leaf())
	later.NotBefore = time.Date(2000, 1, 1, 0, 3, 0, 0, time.UTC)
	f := newFiles(t).put(t, root.Issue(t, first), root)
	pair := root.Issue(t, later)
	synctest.Test(t, func(t *testing.T) {
		s, events := watched(t, f)
		f.put(t, pair, nil)
		time.Sleep(time.Minute)
		if want, have := "failed", kinds(events()); want != have || s.Status().Reloads != 0 {
			t.Errorf("want %q, have %q", want, have)
		}
		time.Sleep(time.Minute + time.Second)
		if want, have := "warned", kinds(events()); want != have {
			t.Errorf("want %q when that in use has ended, have %q", want, have)
		}
		time.Sleep(time.Minute)
		if want, have := "loaded", kinds(events()); want != have || s.Status().SerialNumber != pair.Certificate.SerialNumber.Text(16) {
			t.Errorf("want %q, have %q", want, have)
		}
	})
}

// Kubernetes mounts a secret as links into a directory to which ..data leads, and replaces that link at once.
func TestALinkThatLeadsElsewhereIsSeen(t *testing.T) {
	t.Parallel()
	root := testcert.New(t, "root")
	f := newFiles(t)
	past := time.Date(1999, 6, 1, 0, 0, 0, 0, time.UTC) // of all versions alike, so that the time of a file says nothing
	mount := func(name string, pair *testcert.Pair) {
		dir := filepath.Join(f.dir, name)
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		version := files{dir: dir, cert: filepath.Join(dir, "cert.pem"), key: filepath.Join(dir, "key.pem"), roots: filepath.Join(dir, "roots.pem")}.put(t, pair, root)
		for _, path := range []string{version.cert, version.key, version.roots} {
			if err := os.Chtimes(path, past, past); err != nil {
				t.Fatal(err)
			}
		}
		data := filepath.Join(f.dir, "..data")
		if err := errors.Join(os.Symlink(name, data+"_tmp"), os.Rename(data+"_tmp", data)); err != nil {
			t.Fatal(err)
		}
	}
	mount("..1", root.Issue(t, bubbled(leaf())))
	for _, path := range []string{f.cert, f.key, f.roots} {
		if err := os.Symlink(filepath.Join("..data", filepath.Base(path)), path); err != nil {
			t.Fatal(err)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		s, events := watched(t, f)
		time.Sleep(time.Minute)
		for _, name := range []string{"..2", "..3"} {
			pair := root.Issue(t, bubbled(leaf()))
			mount(name, pair)
			time.Sleep(time.Second)
			if want, have := pair.Certificate.SerialNumber.Text(16), s.Status().SerialNumber; want != have || kinds(events()) != "loaded" {
				t.Errorf("%s: want %s, have %s", name, want, have)
			}
		}
	})
}

func TestAFileThatChangesWithoutASignIsSeenAllTheSame(t *testing.T) {
	t.Parallel()
	root := testcert.New(t, "root")
	f := newFiles(t).put(t, root.Issue(t, bubbled(leaf())), root)
	roots := [][]byte{root.CertPEM(), testcert.New(t, "toor").CertPEM()}
	for i := range roots {
		roots[i] = append(roots[i], strings.Repeat("\n", 1000-len(roots[i]))...) // of one length
	}
	past := time.Date(1999, 6, 1, 0, 0, 0, 0, time.UTC)
	set := func(i int) {
		overwrite(t, f.roots, roots[i])
		if err := os.Chtimes(f.roots, past, past); err != nil {
			t.Fatal(err)
		}
	}
	set(0)
	synctest.Test(t, func(t *testing.T) {
		_, events := watched(t, f)
		for i := range 4 {
			time.Sleep(time.Minute)
			set((i + 1) % 2)
			time.Sleep(11 * time.Second)
			if want, have := "loaded", kinds(events()); want != have {
				t.Errorf("want %q, have %q", want, have)
			}
		}
	})
}

// A file system that counts seconds does not tell two changes within one apart.
func TestAFileThatChangesTwiceInASecondIsSeenAtOnce(t *testing.T) {
	t.Parallel()
	root := testcert.New(t, "root")
	f := newFiles(t).put(t, root.Issue(t, bubbled(leaf())), root)
	synctest.Test(t, func(t *testing.T) {
		at := time.Now()
		set := func(text []byte) {
			overwrite(t, f.roots, append(text, strings.Repeat("\n", 1000-len(text))...))
			if err := os.Chtimes(f.roots, at, at); err != nil {
				t.Fatal(err)
			}
		}
		set(root.CertPEM())
		_, events := watched(t, f)
		set(testcert.New(t, "toor").CertPEM())
		time.Sleep(time.Second)
		if want, have := "loaded", kinds(events()); want != have {
			t.Errorf("want %q, have %q", want, have)
		}
	})
}

func TestConfigurationsFollowTheFiles(t *testing.T) {
	t.Parallel()
	root, another := testcert.New(t, "root"), testcert.New(t, "another")
	f := newFiles(t).put(t, root.Issue(t, leaf()), root)
	s := source(t, f)
	server, client := serverConfig(t, s), to(clientConfig(t, s), host)
	for name, row := range map[string]struct {
		server, client *tls.Config
		refused        bool
	}{
		"both": {server, client, false}, "a client of the other": {server, plain(root, another.Issue(t, leaf())), true},
	} {
		_, clientErr, serverErr := shake(t, row.client, row.server)
		if err := errors.Join(clientErr, serverErr); (err != nil) != row.refused {
			t.Errorf("before, %s: want refused %v, have %v", name, row.refused, err)
		}
	}
	pair := another.Issue(t, leaf())
	f.put(t, pair, another)
	if err := s.Reload(); err != nil {
		t.Fatal(err)
	}
	if s.Close() != nil {
		t.Error("want it closed")
	}
	for name, row := range map[string]struct {
		server, client *tls.Config
		refused        bool
	}{
		"both": {server, client, false}, "a client of the other": {server, plain(another, pair), false},
		"a client of the first":    {server, plain(another, root.Issue(t, leaf())), true},
		"a server of the first":    {&tls.Config{Certificates: []tls.Certificate{root.Issue(t, leaf()).TLS()}}, client, true},
		"whom the client is":       {&tls.Config{Certificates: []tls.Certificate{pair.TLS()}, ClientCAs: another.Pool(), ClientAuth: tls.RequireAndVerifyClientCert}, client, false},
		"the server, of the first": {server, plain(root, pair), true},
	} {
		state, clientErr, serverErr := shake(t, row.client, row.server)
		if err := errors.Join(clientErr, serverErr); (err != nil) != row.refused {
			t.Errorf("after, %s: want refused %v, have %v", name, row.refused, err)
		}
		if !row.refused && !state.PeerCertificates[0].Equal(pair.Certificate) {
			t.Errorf("%s: want the new certificate", name)
		}
	}
}
