package sdtest_test

import (
	"testing"
	"testing/synctest"

	"github.com/ashlar-go/ashlar/sd/sdtest"
)

func TestASoundRegistryPasses(t *testing.T) {
	t.Parallel()
	sdtest.Run(t, newRegistry().harness())
}

func TestASystemWithoutRegistrarPasses(t *testing.T) {
	t.Parallel()
	r := newRegistry()
	h := r.harness()
	h.Registrar, h.Forget, h.Put = nil, nil, r.put
	h.Differences = []sdtest.Difference{{Check: "Registrar", Reason: "others put the instances there"}}
	synctest.Test(t, func(t *testing.T) {
		if err := sdtest.Test(h); err != nil {
			t.Error(err)
		}
	})
}
