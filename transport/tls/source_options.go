package tlsconfig

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ashlar-go/ashlar/internal/option"
)

// DefaultInterval is how often files are looked at. What is the same at two looks in a row is taken, which is within twice of this.
const DefaultInterval = 150 * time.Millisecond

const (
	minInterval = 10 * time.Millisecond
	maxInterval = time.Hour
)

// SourceOption sets up a Source.
type SourceOption func(*sourceConfig) error

type sourceConfig struct {
	certFile, keyFile string
	rootFiles         []string
	interval          time.Duration
	onEvent           []func(Event)
}

// SourceCertificate names the files, in PEM, of the certificate of this process, followed by those of the authorities between it and the
// root, and of its private key. Servers need it, and clients where servers ask for it. It replaces an earlier one.
func SourceCertificate(certFile, keyFile string) SourceOption {
	return func(c *sourceConfig) error {
		if certFile == "" || keyFile == "" {
			return fmt.Errorf("SourceCertificate(%q, %q): want the names of two files", certFile, keyFile)
		}
		c.certFile, c.keyFile = certFile, keyFile
		return nil
	}
}

// SourceRoots adds files, in PEM, of the authorities that vouch for the other side: for servers to clients, and for clients to servers.
// Without it clients trust what the system does, and servers do not ask for certificates.
func SourceRoots(files ...string) SourceOption {
	return func(c *sourceConfig) error {
		if len(files) == 0 || slices.Contains(files, "") {
			return fmt.Errorf("SourceRoots(%q): want the names of files", files)
		}
		c.rootFiles = append(c.rootFiles, files...)
		return nil
	}
}

// SourceInterval sets how often the files are looked at, 10 ms to an hour. The default is DefaultInterval. It replaces an earlier one.
func SourceInterval(every time.Duration) SourceOption {
	return func(c *sourceConfig) error {
		c.interval = every
		return option.Within("SourceInterval", every, minInterval, maxInterval)
	}
}

// SourceOnEvent adds a function that is told what became of the files, one call at a time, for a log or a metric. It holds up the next look
// at the files, and no handshake. Of the source it may use Status and nothing else. A panic of it is dropped.
func SourceOnEvent(f func(Event)) SourceOption {
	return func(c *sourceConfig) error {
		if f == nil {
			return errors.New("SourceOnEvent: the function is nil")
		}
		c.onEvent = append(c.onEvent, f)
		return nil
	}
}
