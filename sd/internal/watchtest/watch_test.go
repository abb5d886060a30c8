package watchtest_test

import (
	"testing"

	"github.com/ashlar-go/ashlar/sd"
	"github.com/ashlar-go/ashlar/sd/internal/watchtest"
)

func TestAWatchGivesWhatItsInstancerYields(t *testing.T) {
	t.Parallel()
	instancer, err := sd.NewStaticAddresses("b:1", "a:1")
	if err != nil {
		t.Fatal(err)
	}
	w := watchtest.Start(t, instancer)
	watchtest.WantAddresses(t, w.Set(), "a:1", "b:1")
	w.Quiet()
	w.End()
	w.End()
	for _, await := range []func(*watchtest.Watch, ...string) []sd.Instance{(*watchtest.Watch).AwaitIDs, (*watchtest.Watch).AwaitAddresses} {
		if have := await(watchtest.Start(t, instancer), "b:1", "a:1"); len(have) != 2 {
			t.Errorf("want both, have %v", have)
		}
	}
}
