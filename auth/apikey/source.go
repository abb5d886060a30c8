package apikeyauth

import (
	"context"

	"github.com/ashlar-go/ashlar/auth"
)

type static struct{ credential auth.Credential }

func (s static) Credential(context.Context) (auth.Credential, error) { return s.credential, nil }
