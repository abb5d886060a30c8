package tlsconfig_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/ashlar-go/ashlar/internal/testcert"
	tlsconfig "github.com/ashlar-go/ashlar/transport/tls"
)

const shopID = "spiffe://dev.local/shop"

func leaf() testcert.Leaf {
	return testcert.Leaf{Name: "shop", Hosts: []string{host, "127.0.0.1"}, URIs: []string{shopID}}
}

func only(usage x509.ExtKeyUsage) testcert.Leaf {
	l := leaf()
	l.Usages = []x509.ExtKeyUsage{usage}
	return l
}

func versions() []uint16 { return []uint16{tls.VersionTLS12, tls.VersionTLS13} }

func TestServersRefuseClientsThatAreNotGood(t *testing.T) {
	t.Parallel()
	root := testcert.New(t, "root")
	f := newFiles(t).put(t, root.Issue(t, leaf()), root)
	s := source(t, f)
	later := leaf()
	later.NotBefore, later.NotAfter = time.Now().Add(time.Hour), time.Now().Add(2*time.Hour)
	another, nobody, two := leaf(), leaf(), leaf()
	another.URIs, nobody.URIs, two.URIs = []string{"spiffe://dev.local/other"}, nil, []string{shopID, "spiffe://dev.local/other"}
	byID, byDomain := tlsconfig.ServerAllowIDs(shopID), tlsconfig.ServerAllowTrustDomains("dev.local")
	middle := root.Intermediate(t, "middle")
	for name, row := range map[string]struct {
		pair *testcert.Pair
		opts []tlsconfig.ServerOption
		want string // in the server's error; empty where it lets the client in
	}{
		"good":                {root.Issue(t, leaf()), nil, ""},
		"by an intermediate":  {middle.Issue(t, leaf()), nil, ""},
		"none":                {nil, nil, "didn't provide a certificate"},
		"none, optional":      {nil, []tlsconfig.ServerOption{tlsconfig.ServerOptionalClients()}, ""},
		"none, not asked for": {nil, []tlsconfig.ServerOption{tlsconfig.ServerAnonymousClients()}, ""},
		"expired":             {root.Expired(t, leaf()), nil, "expired"},
		"expired, optional":   {root.Expired(t, leaf()), []tlsconfig.ServerOption{tlsconfig.ServerOptionalClients()}, "expired"},
		"not yet valid":       {root.Issue(t, later), nil, "not yet valid"},
		"for servers":         {root.Issue(t, only(x509.ExtKeyUsageServerAuth)), nil, "incompatible key usage"},
		"unknown authority":   {testcert.New(t, "root").Issue(t, leaf()), nil, "unknown authority"},
		"id":                  {root.Issue(t, leaf()), []tlsconfig.ServerOption{byID}, ""},
		"domain":              {root.Issue(t, another), []tlsconfig.ServerOption{byID, byDomain}, ""},
		"another id":          {root.Issue(t, another), []tlsconfig.ServerOption{byID}, "not allowed: spiffe://dev.local/other"},
		"another domain":      {root.Issue(t, leaf()), []tlsconfig.ServerOption{tlsconfig.ServerAllowTrustDomains("local", "dev.local.org")}, "not allowed"},
		"no id":               {root.Issue(t, nobody), []tlsconfig.ServerOption{byDomain}, "no SPIFFE id"},
		"no id, optional":     {root.Issue(t, nobody), []tlsconfig.ServerOption{byDomain, tlsconfig.ServerOptionalClients()}, "no SPIFFE id"},
		"two ids":             {root.Issue(t, two), []tlsconfig.ServerOption{byDomain}, "2 URIs"},
	} {
		for _, version := range versions() {
			client := plain(root, row.pair)
			client.MaxVersion = version
			_, clientErr, serverErr := shake(t, client, serverConfig(t, s, row.opts...))
			if row.want == "" && (clientErr != nil || serverErr != nil) || row.want != "" && (clientErr == nil || serverErr == nil || !strings.Contains(serverErr.Error(), row.want)) {
				t.Errorf("%s, %s: want %q, have %v and %v", name, tls.VersionName(version), row.want, serverErr, clientErr)
			}
		}
	}
}

func TestClientsRefuseServersThatAreNotGood(t *testing.T) {
	t.Parallel()
	root := testcert.New(t, "root")
	f := newFiles(t).put(t, root.Issue(t, leaf()), root)
	s := source(t, f)
	later, another := leaf(), leaf()
	later.NotBefore, later.NotAfter = time.Now().Add(time.Hour), time.Now().Add(2*time.Hour)
	another.Hosts, another.URIs = []string{"other.test", "127.0.0.2", "::1"}, []string{"spiffe://dev.local/other"}
	byID, byDomain := tlsconfig.ClientAllowIDs(shopID), tlsconfig.ClientAllowTrustDomains("dev.local")
	named := tlsconfig.ClientServerName
	type options = []tlsconfig.ClientOption
	for name, row := range map[string]struct {
		pair *testcert.Pair
		name string // that a transport sets
		opts options
		want string // in the client's error; empty where it takes the server
	}{
		"good":                      {root.Issue(t, leaf()), host, nil, ""},
		"by an intermediate":        {root.Intermediate(t, "middle").Issue(t, leaf()), host, nil, ""},
		"expired":                   {root.Expired(t, leaf()), host, nil, "expired"},
		"expired, by id":            {root.Expired(t, leaf()), host, options{byID}, "expired"},
		"not yet valid":             {root.Issue(t, later), host, nil, "not yet valid"},
		"for clients":               {root.Issue(t, only(x509.ExtKeyUsageClientAuth)), host, nil, "incompatible key usage"},
		"unknown authority":         {testcert.New(t, "root").Issue(t, leaf()), host, nil, "unknown authority"},
		"unknown authority, by id":  {testcert.New(t, "root").Issue(t, leaf()), host, options{byID}, "unknown authority"},
		"another name":              {root.Issue(t, another), host, nil, "not shop.test"},
		"no name":                   {root.Issue(t, leaf()), "", nil, "ClientServerName"},
		"an address":                {root.Issue(t, leaf()), "127.0.0.1", nil, "ClientServerName"},
		"an address that is named":  {root.Issue(t, leaf()), "127.0.0.1", options{named("127.0.0.1")}, ""},
		"another address":           {root.Issue(t, another), "127.0.0.1", options{named("127.0.0.1")}, "not 127.0.0.1"},
		"IPv6":                      {root.Issue(t, another), "::1", options{named("[::1]")}, ""},
		"another name than named":   {root.Issue(t, leaf()), host, options{named("other.test")}, "not other.test"},
		"named, whatever is called": {root.Issue(t, another), host, options{named("other.test")}, ""},
		"id":                        {root.Issue(t, leaf()), "10.0.0.1", options{byID}, ""},
		"id, whatever is called":    {root.Issue(t, leaf()), "other.test", options{byID}, ""},
		"id and another name":       {root.Issue(t, leaf()), host, options{byID, named("other.test")}, "not other.test"},
		"another id":                {root.Issue(t, another), "other.test", options{byID}, "not allowed"},
		"domain":                    {root.Issue(t, another), "", options{byID, byDomain}, ""},
		"another domain":            {root.Issue(t, leaf()), host, options{tlsconfig.ClientAllowTrustDomains("shop.local")}, "not allowed"},
	} {
		for _, version := range versions() {
			server := &tls.Config{Certificates: []tls.Certificate{row.pair.TLS()}, MaxVersion: version}
			state, err, _ := shake(t, to(clientConfig(t, s, row.opts...), row.name), server)
			if row.want == "" && (err != nil || len(state.PeerCertificates) == 0) || row.want != "" && (err == nil || !strings.Contains(err.Error(), row.want)) {
				t.Errorf("%s, %s: want %q, have %v", name, tls.VersionName(version), row.want, err)
			}
			if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok != (row.want != "") {
				t.Errorf("%s: want an error of verification, by which transports know that nothing was sent, have %v", name, err)
			}
		}
	}
}

func TestOldVersionsAreRefused(t *testing.T) {
	t.Parallel()
	root := testcert.New(t, "root")
	s := source(t, newFiles(t).put(t, root.Issue(t, leaf()), root))
	between := func(c *tls.Config, least, most uint16) *tls.Config {
		c.MinVersion, c.MaxVersion = least, most
		return c
	}
	good := func() *tls.Config { return plain(root, root.Issue(t, leaf())) }
	server := &tls.Config{Certificates: []tls.Certificate{root.Issue(t, leaf()).TLS()}}
	for name, row := range map[string]struct {
		client, server *tls.Config
		want           uint16 // 0 where they do not come together
	}{
		"an old client":    {between(good(), tls.VersionTLS10, tls.VersionTLS11), serverConfig(t, s), 0},
		"an old server":    {to(clientConfig(t, s), host), between(server, tls.VersionTLS10, tls.VersionTLS11), 0},
		"1.2":              {between(good(), tls.VersionTLS12, tls.VersionTLS12), serverConfig(t, s), tls.VersionTLS12},
		"1.2, wants more":  {between(good(), tls.VersionTLS12, tls.VersionTLS12), serverConfig(t, s, tlsconfig.ServerMinVersion(tls.VersionTLS13)), 0},
		"1.3, of the both": {to(clientConfig(t, s), host), serverConfig(t, s), tls.VersionTLS13},
	} {
		state, clientErr, serverErr := shake(t, row.client, row.server)
		if row.want == 0 && (clientErr == nil || serverErr == nil) || row.want != 0 && (clientErr != nil || serverErr != nil || state.Version != row.want) {
			t.Errorf("%s: want %d, have %d, %v, %v", name, row.want, state.Version, clientErr, serverErr)
		}
	}
}
