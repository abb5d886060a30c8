package tlsconfig

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"time"
)

var (
	errRootless = errors.New("tlsconfig: the source has no roots: want SourceRoots")
	errNoClient = errors.New("tlsconfig: the client showed no certificate that was verified")
)

// VerifyClient returns an error unless the roots that the source has now vouch for the certificate that a client showed when its connection
// was made, which may be long ago. It is for servers whose configuration Server made, at each call: as long as one of the chains that were
// verified then ends in a certificate that is still a root, it looks at times only; else the certificate is verified anew, as for a root
// that was renewed.
func (s *Source) VerifyClient(state *tls.ConnectionState) error {
	used := s.made()
	switch {
	case used == nil:
		return errUnmade
	case used.roots == nil:
		return errRootless
	case state == nil || len(state.PeerCertificates) == 0 || len(state.VerifiedChains) == 0:
		return errNoClient
	}
	now := time.Now()
	for _, chain := range state.VerifiedChains {
		if used.roots.stillVouch(chain, now) {
			return nil
		}
	}
	return refused(state.PeerCertificates, verifyChain(state.PeerCertificates, used.roots, "", x509.ExtKeyUsageClientAuth, now))
}

// stillVouch says whether a chain that was verified in the past is good for the only reasons that change.
func (r *roots) stillVouch(chain []*x509.Certificate, now time.Time) bool {
	for _, c := range chain {
		if now.After(c.NotAfter) {
			return false
		}
	}
	return len(chain) > 0 && r.all[string(chain[len(chain)-1].Raw)]
}
