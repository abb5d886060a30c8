package sd_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/ashlar-go/ashlar/sd"
)

func TestAStaticYieldsItsSetOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		given := []sd.Instance{{ID: "z", Address: "b", Tags: []string{"a"}, Metadata: map[string]string{"k": "v"}}, {Address: "a"}}
		s, err := sd.NewStatic(given...)
		if err != nil {
			t.Fatal(err)
		}
		given[0].Tags[0], given[0].Metadata["k"] = "changed", "changed"
		l := follow(t.Context(), s)
		want := []sd.Instance{{ID: "a", Address: "a"}, {ID: "z", Address: "b", Tags: []string{"a"}, Metadata: map[string]string{"k": "v"}}}
		l.want(t, want)
		l.cancel()
		l.ended(t)
	})
}

func TestAStaticOfNoneIsEmpty(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, err := sd.NewStatic()
		if err != nil {
			t.Fatal(err)
		}
		follow(t.Context(), s).want(t, set())
	})
}

func TestAStaticCanBeLeft(t *testing.T) {
	t.Parallel()
	s, err := sd.NewStaticAddresses("b", "a")
	if err != nil {
		t.Fatal(err)
	}
	for have, err := range s.Watch(context.Background()) {
		if err != nil || !sd.Same(set("a", "b"), have) {
			t.Errorf("have %v, %v", have, err)
		}
		break
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for have, err := range s.Watch(ctx) {
		t.Errorf("after the end of ctx: have %v, %v", have, err)
	}
}

func TestAStaticRefusesWhatIsNoSet(t *testing.T) {
	t.Parallel()
	for want, instances := range map[string][]sd.Instance{
		"sd: instance 1: the address is missing":                        {{Address: "a"}, {ID: "b"}},
		"sd: of 3 instances 1 have the ID or the address of another":    {{Address: "a"}, {Address: "b"}, {ID: "c", Address: "a"}},
		"sd: of 2 instances 1 have the ID or the address of another":    {{Address: "a"}, {ID: "a", Address: "b"}},
		`sd: instance 0: the zone " eu" has spaces around it`:           {{Address: "a", Zone: " eu"}},
		"sd: instance 0: the weight is 70000, want 0 to 65535":          {{Address: "a", Weight: 70_000}},
		`sd: instance 0: the metadata k is "\xff", which is not UTF-8`:  {{Address: "a", Metadata: map[string]string{"k": "\xff"}}},
		`sd: instance 0: the key " k" of metadata has spaces around it`: {{Address: "a", Metadata: map[string]string{" k": ""}}},
	} {
		if _, err := sd.NewStatic(instances...); err == nil || err.Error() != want {
			t.Errorf("want %q, have %v", want, err)
		}
	}
	if _, err := sd.NewStaticAddresses("a", ""); err == nil || !strings.Contains(err.Error(), "instance 1: the address is missing") {
		t.Errorf("have %v", err)
	}
}
