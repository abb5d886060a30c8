package tlsconfig

import (
	"crypto/tls"
	"crypto/x509"
	"time"
)

// verifyChain verifies what the other side showed, its own certificate first, as crypto/tls does. Nil roots are those of the system. An
// empty name is not looked at.
func verifyChain(certificates []*x509.Certificate, trusted *roots, name string, usage x509.ExtKeyUsage, now time.Time) error {
	options := x509.VerifyOptions{
		DNSName: name, Intermediates: x509.NewCertPool(), CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{usage},
	}
	if trusted != nil {
		options.Roots = trusted.pool
	}
	for _, c := range certificates[1:] {
		options.Intermediates.AddCert(c)
	}
	_, err := certificates[0].Verify(options)
	return err
}

// refused makes err the error of a verification, by which transports know that nothing was sent; nil stays nil.
func refused(certificates []*x509.Certificate, err error) error {
	if err == nil {
		return nil
	}
	return &tls.CertificateVerificationError{UnverifiedCertificates: certificates, Err: err}
}
