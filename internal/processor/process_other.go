//go:build !unix

package processor

import (
	"errors"
	"time"
)

func process() (used, possible time.Duration, err error) {
	return 0, 0, errors.ErrUnsupported
}
