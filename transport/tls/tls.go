// Package tlsconfig makes configurations of crypto/tls for servers and clients whose certificates and roots are files that change while
// the process runs: rotated by an operator, by cert-manager, by a SPIFFE agent or by a Kubernetes secret. Connections stay; what shakes
// hands after a change uses the new files.
//
//	source, err := tlsconfig.NewSource(
//		tlsconfig.SourceCertificate("tls.crt", "tls.key"), // who this process is
//		tlsconfig.SourceRoots("ca.crt"),                   // who vouches for the others
//	)
//	defer source.Close()
//	serverConfig, err := tlsconfig.Server(source) // asks for certificates of clients, since there are roots
//	clientConfig, err := tlsconfig.Client(source, tlsconfig.ClientAllowIDs("spiffe://shop.example/orders"))
//
// A *tls.Config is what all transports and the clients of all drivers take: http.Server.TLSConfig and httptransport.DialTLS,
// credentials.NewTLS for grpctransport, nats.Secure, clientv3.Config.TLS, redis.Options.TLSConfig.
//
// Versions begin with TLS 1.2, and 1.3 is preferred; of the cipher suites of 1.2 only those with AEAD are used. Curves are those of Go.
// docs/tls.md has what is refused, and what a reload does to whom.
package tlsconfig
