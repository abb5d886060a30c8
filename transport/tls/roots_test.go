package tlsconfig_test

import (
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ashlar-go/ashlar/internal/testcert"
	tlsconfig "github.com/ashlar-go/ashlar/transport/tls"
)

func TestRootsThatEndedKeepNoAuthorityTrusted(t *testing.T) {
	t.Parallel()
	root, gone := testcert.New(t, "root"), testcert.New(t, "gone")
	short := bubbled(testcert.Leaf{Name: "old"})
	short.NotAfter = time.Date(2000, 1, 1, 0, 1, 0, 0, time.UTC)
	f := newFiles(t)
	old := filepath.Join(f.dir, "old.pem")
	longer := short
	longer.NotAfter = short.NotAfter.Add(30 * time.Second)
	overwrite(t, old, append(root.Issue(t, short).CertPEM(), root.Issue(t, longer).CertPEM()...))
	both := [][]byte{root.Issue(t, bubbled(testcert.Leaf{Name: "root"})).CertPEM(), gone.Issue(t, bubbled(testcert.Leaf{Name: "gone"})).CertPEM()}
	overwrite(t, f.roots, append(append([]byte(nil), both[0]...), both[1]...))
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var told []string
		open := func() *tlsconfig.Source {
			s, err := tlsconfig.NewSource(tlsconfig.SourceRoots(old, f.roots), tlsconfig.SourceOnEvent(func(e tlsconfig.Event) {
				mu.Lock()
				defer mu.Unlock()
				told = append(told, e.String())
			}))
			if err != nil {
				t.Fatal(err)
			}
			return s
		}
		check := func(kinds ...string) {
			t.Helper()
			synctest.Wait()
			mu.Lock()
			defer mu.Unlock()
			for i, have := range told {
				if i < len(kinds) && (!strings.HasPrefix(have, "tls: "+kinds[i]) || kinds[i] == "warned" && !strings.HasPrefix(have, "tls: warned "+old+": "+old+": all")) {
					t.Errorf("want %s, have %s", kinds[i], have)
				}
			}
			if len(told) != len(kinds) {
				t.Errorf("want %v, have %v", kinds, told)
			}
			told = nil
		}
		s := open()
		defer func() { s.Close() }()
		check("loaded")
		if want, have := short.NotAfter, s.Status().RootsNotAfter; s.Status().Roots != 4 || !want.Equal(have) {
			t.Errorf("want four roots, the first until %v, have %+v", want, s.Status())
		}
		time.Sleep(time.Minute + time.Second)
		check()
		time.Sleep(time.Minute)
		check("warned")
		replace(t, f.roots, both[0])
		time.Sleep(time.Second)
		check("loaded", "warned")
		if have := s.Status(); have.Roots != 1 || have.Err != nil {
			t.Errorf("want the authority that was removed to be gone, have %+v", have)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = open()
		check("loaded", "warned")
		replace(t, f.roots, root.Issue(t, short).CertPEM())
		if err := s.Reload(); err == nil || !strings.Contains(err.Error(), old+", "+f.roots+": there is no certificate that has not ended") || s.Status().Roots != 1 {
			t.Errorf("want no roots at all to be refused, have %v", err)
		}
	})
}

// The first of roots that ends need not be the first in the file.
func TestTheFirstRootThatEndsIsFound(t *testing.T) {
	t.Parallel()
	root := testcert.New(t, "root")
	sooner := root.Issue(t, testcert.Leaf{Name: "sooner", NotAfter: time.Now().Add(time.Hour)})
	later := root.Issue(t, testcert.Leaf{Name: "later"})
	for name, text := range map[string][]byte{
		"in the beginning": append(sooner.CertPEM(), later.CertPEM()...), "in the end": append(later.CertPEM(), sooner.CertPEM()...),
	} {
		f := newFiles(t)
		overwrite(t, f.roots, text)
		s, err := tlsconfig.NewSource(tlsconfig.SourceRoots(f.roots))
		if err != nil {
			t.Fatal(err)
		}
		if want, have := sooner.Certificate.NotAfter, s.Status().RootsNotAfter; !want.Equal(have) {
			t.Errorf("%s: want %v, have %v", name, want, have)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
