package tlsconfig_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ashlar-go/ashlar/internal/testcert"
	tlsconfig "github.com/ashlar-go/ashlar/transport/tls"
)

func TestFilesThatCannotBeUsedAreNamed(t *testing.T) {
	t.Parallel()
	root := testcert.New(t, "root")
	good, other := root.Issue(t, leaf()), root.Issue(t, leaf())
	later := leaf()
	later.NotBefore, later.NotAfter = time.Now().Add(time.Hour), time.Now().Add(2*time.Hour)
	key := good.KeyPEM(t)
	for name, row := range map[string]struct {
		cert, key, roots []byte // nil for a file that is missing
		file, want       string
	}{
		"no certificate":       {nil, key, root.CertPEM(), "cert.pem", "no such file"},
		"no key":               {good.CertPEM(), nil, root.CertPEM(), "key.pem", "no such file"},
		"no roots":             {good.CertPEM(), key, nil, "roots.pem", "no such file"},
		"empty certificate":    {[]byte(" \n"), key, root.CertPEM(), "cert.pem", "is empty"},
		"empty key":            {good.CertPEM(), []byte{}, root.CertPEM(), "key.pem", "is empty"},
		"empty roots":          {good.CertPEM(), key, []byte{}, "roots.pem", "is empty"},
		"garbage":              {[]byte("garbage"), key, root.CertPEM(), "cert.pem", "no PEM"},
		"garbage for a key":    {good.CertPEM(), []byte("garbage"), root.CertPEM(), "key.pem", "no PEM"},
		"garbage for roots":    {good.CertPEM(), key, []byte("garbage"), "roots.pem", "no PEM"},
		"half a certificate":   {good.CertPEM()[:200], key, root.CertPEM(), "cert.pem", "not complete"},
		"half a second":        {append(good.CertPEM(), root.CertPEM()[:200]...), key, root.CertPEM(), "cert.pem", "not complete"},
		"half a key":           {good.CertPEM(), key[:100], root.CertPEM(), "key.pem", "not complete"},
		"half a root":          {good.CertPEM(), key, append(root.CertPEM(), root.CertPEM()[:200]...), "roots.pem", "not complete"},
		"another key":          {good.CertPEM(), other.KeyPEM(t), root.CertPEM(), "key.pem", "does not match"},
		"switched":             {key, good.CertPEM(), root.CertPEM(), "cert.pem", "private key"},
		"a key among roots":    {good.CertPEM(), key, append(root.CertPEM(), key...), "roots.pem", "PRIVATE KEY"},
		"has ended":            {root.Expired(t, leaf()).CertPEM(), nil, root.CertPEM(), "cert.pem", "has ended"},
		"is not valid yet":     {root.Issue(t, later).CertPEM(), nil, root.CertPEM(), "cert.pem", "not valid before"},
		"roots that ended":     {good.CertPEM(), key, root.Expired(t, leaf()).CertPEM(), "roots.pem", "has not ended"},
		"too long":             {bytes.Repeat([]byte("x"), 4<<20+1), key, root.CertPEM(), "cert.pem", "at most"},
		"no certificate in it": {good.CertPEM(), key, []byte("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"), "roots.pem", "x509"},
	} {
		f := newFiles(t)
		if name == "has ended" || name == "is not valid yet" {
			pair := root.Expired(t, leaf())
			if name != "has ended" {
				pair = root.Issue(t, later)
			}
			row.cert, row.key = pair.CertPEM(), pair.KeyPEM(t)
		}
		for path, text := range map[string][]byte{f.cert: row.cert, f.key: row.key, f.roots: row.roots} {
			if text != nil {
				overwrite(t, path, text)
			}
		}
		s, err := tlsconfig.NewSource(tlsconfig.SourceCertificate(f.cert, f.key), tlsconfig.SourceRoots(f.roots))
		if s != nil || err == nil || !strings.Contains(err.Error(), filepath.Join(f.dir, row.file)) || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: want an error with %q and %q, have %v", name, row.file, row.want, err)
		}
		if err != nil && strings.Contains(err.Error(), strings.Split(string(key), "\n")[1]) {
			t.Errorf("%s: the error holds the key", name)
		}
	}
	f := newFiles(t)
	if _, err := tlsconfig.NewSource(tlsconfig.SourceRoots(f.dir)); err == nil || !strings.Contains(err.Error(), "regular") {
		t.Errorf("want an error for a directory, have %v", err)
	}
}

func TestOptionsThatAreWrongAreNamed(t *testing.T) {
	t.Parallel()
	root := testcert.New(t, "root")
	f := newFiles(t).put(t, root.Issue(t, leaf()), root)
	both := source(t, f)
	rootless, err := tlsconfig.NewSource(tlsconfig.SourceCertificate(f.cert, f.key))
	certless, err2 := tlsconfig.NewSource(tlsconfig.SourceRoots(f.roots))
	if err := errors.Join(err, err2); err != nil {
		t.Fatal(err)
	}
	defer rootless.Close()
	defer certless.Close()
	newSource := func(opts ...tlsconfig.SourceOption) error { _, err := tlsconfig.NewSource(opts...); return err }
	server := func(s *tlsconfig.Source, opts ...tlsconfig.ServerOption) error {
		_, err := tlsconfig.Server(s, opts...)
		return err
	}
	client := func(s *tlsconfig.Source, opts ...tlsconfig.ClientOption) error {
		_, err := tlsconfig.Client(s, opts...)
		return err
	}
	for i, row := range []struct {
		err  error
		want string
	}{
		{newSource(), "want SourceCertificate, SourceRoots or both"},
		{newSource(nil), "function 0 is nil"},
		{newSource(tlsconfig.SourceCertificate("", "x")), "SourceCertificate"},
		{newSource(tlsconfig.SourceCertificate("x", "")), "SourceCertificate"},
		{newSource(tlsconfig.SourceRoots()), "SourceRoots"},
		{newSource(tlsconfig.SourceRoots("x", "")), "SourceRoots"},
		{newSource(tlsconfig.SourceInterval(time.Millisecond)), "SourceInterval(1ms)"},
		{newSource(tlsconfig.SourceInterval(2 * time.Hour)), "SourceInterval(2h0m0s)"},
		{newSource(tlsconfig.SourceOnEvent(nil)), "SourceOnEvent"},
		{server(nil), "NewSource"},
		{server(new(tlsconfig.Source)), "NewSource"},
		{server(certless), "SourceCertificate"},
		{server(rootless, tlsconfig.ServerOptionalClients()), "SourceRoots"},
		{server(rootless, tlsconfig.ServerAllowIDs(shopID)), "SourceRoots"},
		{server(both, nil), "function 0 is nil"},
		{server(both, tlsconfig.ServerOptionalClients(), tlsconfig.ServerAnonymousClients()), "exclude each other"},
		{server(both, tlsconfig.ServerAnonymousClients(), tlsconfig.ServerAllowIDs(shopID)), "ServerAnonymousClients excludes"},
		{server(both, tlsconfig.ServerAllowIDs()), "ServerAllowIDs of no id"},
		{server(both, tlsconfig.ServerAllowIDs("spiffe://dev.local")), "is a trust domain"},
		{server(both, tlsconfig.ServerAllowIDs("shop")), "ServerAllowIDs"},
		{server(both, tlsconfig.ServerAllowTrustDomains()), "ServerAllowTrustDomains of no"},
		{server(both, tlsconfig.ServerAllowTrustDomains("spiffe://dev.local")), "ServerAllowTrustDomains"},
		{server(both, tlsconfig.ServerProtocols("h2", "")), "ServerProtocols"},
		{server(both, tlsconfig.ServerMinVersion(0x0302)), "ServerMinVersion(TLS 1.1)"},
		{client(nil), "NewSource"},
		{client(new(tlsconfig.Source)), "NewSource"},
		{client(both, nil), "function 0 is nil"},
		{client(both, tlsconfig.ClientServerName("")), "ClientServerName"},
		{client(both, tlsconfig.ClientServerName("a:443")), "ClientServerName"},
		{client(both, tlsconfig.ClientServerName("https://a")), "ClientServerName"},
		{client(both, tlsconfig.ClientAllowIDs("shop")), "ClientAllowIDs"},
		{client(both, tlsconfig.ClientAllowTrustDomains("A")), "ClientAllowTrustDomains"},
		{client(rootless, tlsconfig.ClientAllowTrustDomains("a")), "SourceRoots"},
		{new(tlsconfig.Source).Reload(), "NewSource"},
		{new(tlsconfig.Source).Status().Err, "NewSource"},
		{(*tlsconfig.Source)(nil).Reload(), "NewSource"},
	} {
		if row.err == nil || !strings.Contains(row.err.Error(), row.want) {
			t.Errorf("%d: want an error with %q, have %v", i, row.want, row.err)
		}
	}
	for _, s := range []*tlsconfig.Source{nil, new(tlsconfig.Source), both, both} {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	if err := errors.Join(server(rootless), client(rootless), client(certless)); err != nil {
		t.Error(err)
	}
}

func TestAKeyThatOthersMayReadOrWriteIsAWarning(t *testing.T) {
	t.Parallel()
	root := testcert.New(t, "root")
	for mode, why := range map[os.FileMode]string{
		0o600: "", 0o400: "", 0o640: "",
		0o644: "everybody on this machine may read the private key", 0o604: "everybody on this machine may read the private key",
		0o660: "others than its owner may replace the private key", 0o602: "others than its owner may replace the private key",
	} {
		f := newFiles(t).put(t, root.Issue(t, leaf()), root)
		if err := os.Chmod(f.key, mode); err != nil {
			t.Fatal(err)
		}
		var have []string
		source(t, f, tlsconfig.SourceOnEvent(func(e tlsconfig.Event) { have = append(have, e.String()) }),
			tlsconfig.SourceOnEvent(func(tlsconfig.Event) { panic("of a log") }))
		want := "tls: loaded " + f.cert + ", " + f.key + "\n"
		if why != "" {
			want += fmt.Sprintf("tls: warned %s, %s: %s: %s; its mode should be 0600 (it is %#o)\n", f.cert, f.key, f.key, why, mode)
		}
		want += "tls: loaded " + f.roots
		if have := strings.Join(have, "\n"); want != have {
			t.Errorf("want\n%s, have\n%s", want, have)
		}
	}
}

func TestStatusTellsWhatIsInUse(t *testing.T) {
	t.Parallel()
	root := testcert.New(t, "the root")
	pair := root.Issue(t, leaf())
	before := time.Now()
	s := source(t, newFiles(t).put(t, pair, root))
	have := s.Status()
	if have.Loaded.Before(before) || have.Loaded.After(time.Now()) {
		t.Errorf("want it loaded now, have %v", have.Loaded)
	}
	id, err := tlsconfig.ParseSPIFFEID(shopID)
	if err != nil {
		t.Fatal(err)
	}
	want := tlsconfig.Status{
		Subject: "CN=shop", Issuer: "CN=the root", SerialNumber: pair.Certificate.SerialNumber.Text(16), SPIFFEID: id,
		NotBefore: pair.Certificate.NotBefore, NotAfter: pair.Certificate.NotAfter, Roots: 1, RootsNotAfter: root.Certificate.NotAfter, Loaded: have.Loaded,
	}
	if want != have {
		t.Errorf("want %+v, have %+v", want, have)
	}
	if want, have := time.Hour, have.Left(pair.Certificate.NotAfter.Add(-time.Hour)); want != have {
		t.Errorf("want %v, have %v", want, have)
	}
	if want, have := time.Duration(0), (tlsconfig.Status{}).Left(time.Now()); want != have {
		t.Errorf("want %v, have %v", want, have)
	}
}
