package tlsconfig

import "time"

// Status is what a Source has in use, for pages of health and for metrics.
type Status struct {
	// Subject, Issuer and SerialNumber are those of the certificate; empty without one.
	Subject, Issuer, SerialNumber string
	// SPIFFEID is its id, if it has one.
	SPIFFEID SPIFFEID
	// NotBefore and NotAfter are when the certificate is valid.
	NotBefore, NotAfter time.Time

	// Roots is how many authorities vouch for the other side, and RootsNotAfter when the first of them ends.
	Roots         int
	RootsNotAfter time.Time

	// Loaded is when files were last taken, and Reloads how often they were since the source was made.
	Loaded  time.Time
	Reloads int

	// Err says why files that have changed are not taken; nil when all are in use as they are.
	Err error
}

// Left returns how long the certificate is valid from now on: less than 0 when it has ended, and 0 without one.
func (s Status) Left(now time.Time) time.Duration {
	if s.NotAfter.IsZero() {
		return 0
	}
	return s.NotAfter.Sub(now)
}
