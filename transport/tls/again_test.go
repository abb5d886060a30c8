package tlsconfig_test

import (
	"crypto/tls"
	"crypto/x509"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ashlar-go/ashlar/internal/testcert"
	tlsconfig "github.com/ashlar-go/ashlar/transport/tls"
)

// What was told of one certificate says nothing of the next.
func TestEachCertificateIsWarnedOf(t *testing.T) {
	t.Parallel()
	root := testcert.New(t, "root")
	f := newFiles(t)
	put := func(t *testing.T, l testcert.Leaf) {
		t.Helper()
		f.put(t, root.Issue(t, l), root)
		if err := os.Chmod(f.key, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	put(t, bubbled(leaf()))
	synctest.Test(t, func(t *testing.T) {
		_, events := watched(t, f)
		for range 2 {
			short := bubbled(leaf())
			short.NotAfter = time.Now().Add(time.Minute)
			put(t, short)
			for _, want := range []string{"loaded warned", "", "warned", ""} {
				time.Sleep(30 * time.Second)
				if have := kinds(events()); want != have {
					t.Errorf("want %q, have %q", want, have)
				}
			}
		}
	})
}

// The sizes and times of files are believed for ten seconds, and not when they say otherwise, or were not there meanwhile.
func TestSignsOfAChangeAreHeededAtOnce(t *testing.T) {
	t.Parallel()
	root, toor := testcert.New(t, "root").CertPEM(), testcert.New(t, "toor").CertPEM()
	past := time.Date(1999, 6, 1, 0, 0, 0, 0, time.UTC)
	set := func(t *testing.T, path string, text []byte, length int) {
		t.Helper()
		overwrite(t, path, append(slices.Clip(text), strings.Repeat("\n", length-len(text))...))
		if err := os.Chtimes(path, past, past); err != nil {
			t.Fatal(err)
		}
	}
	rename := func(t *testing.T, from, to string) {
		t.Helper()
		if err := os.Rename(from, to); err != nil {
			t.Fatal(err)
		}
	}
	for name, change := range map[string]func(t *testing.T, path string){
		"another size": func(t *testing.T, path string) {
			t.Helper()
			set(t, path, toor, 1001)
		},
		"not there": func(t *testing.T, path string) {
			t.Helper()
			away := path + ".away"
			rename(t, path, away)
			<-time.After(tlsconfig.DefaultInterval)
			set(t, away, toor, 1000)
			rename(t, away, path)
		},
	} {
		authority := testcert.New(t, "authority")
		f := newFiles(t).put(t, authority.Issue(t, bubbled(leaf())), nil)
		set(t, f.roots, root, 1000)
		synctest.Test(t, func(t *testing.T) {
			_, events := watched(t, f)
			time.Sleep(time.Second)
			change(t, f.roots)
			time.Sleep(time.Second)
			if want, have := "loaded", kinds(events()); want != have {
				t.Errorf("%s: want %q, have %q", name, want, have)
			}
		})
	}
}

func TestASessionIsResumedByCertificatesForClientsOnly(t *testing.T) {
	t.Parallel()
	root := testcert.New(t, "root")
	verify := serverConfig(t, source(t, newFiles(t).put(t, root.Issue(t, leaf()), root))).VerifyConnection
	for usage, good := range map[x509.ExtKeyUsage]bool{x509.ExtKeyUsageClientAuth: true, x509.ExtKeyUsageServerAuth: false} {
		c := root.Issue(t, only(usage)).Certificate
		chain := []*x509.Certificate{c, root.Certificate}
		err := verify(tls.ConnectionState{DidResume: true, PeerCertificates: chain[:1], VerifiedChains: [][]*x509.Certificate{chain}})
		if (err == nil) != good {
			t.Errorf("use %v: want it taken %v, have %v", usage, good, err)
		}
	}
}
