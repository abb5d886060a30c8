package natskv_test

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/ashlar-go/ashlar/internal/testserver"
	"github.com/ashlar-go/ashlar/sd"
	"github.com/ashlar-go/ashlar/sd/internal/watchtest"
	"github.com/ashlar-go/ashlar/sd/natskv"
)

func TestAnEntryLivesAsLongAsItsProcess(t *testing.T) {
	t.Parallel()
	server := testserver.StartNATS(t)
	js, crashing := connect(t, server.URL), connect(t, server.URL)
	makeBucket(t, js, 1)
	w := watchtest.Start(t, newInstancer(t, js))
	watchtest.WantAddresses(t, w.Set())
	register(t, js, sd.Instance{Address: "10.0.0.1:80"}, natskv.RegistrarTTL(time.Second))
	watchtest.WantAddresses(t, w.Set(), "10.0.0.1:80")
	r := newRegistrar(t, crashing, natskv.RegistrarTTL(3*time.Second))
	deregister, err := r.Register(t.Context(), sd.Instance{Address: "[2001:db8::1]:80"})
	if err != nil {
		t.Fatal(err)
	}
	watchtest.WantAddresses(t, w.Set(), "10.0.0.1:80", "[2001:db8::1]:80")
	began := time.Now()
	crashing.Conn().Close()
	watchtest.WantAddresses(t, w.Set(), "10.0.0.1:80") // without a change meanwhile: the other was written three times or more
	if took := time.Since(began); took < 1900*time.Millisecond {
		t.Errorf("want it to live for 2 to 3 s, have it gone after %v", took)
	}
	w.Quiet()
	if err := deregister(t.Context()); !errors.Is(err, nats.ErrConnectionClosed) {
		t.Errorf("want %v, have %v", nats.ErrConnectionClosed, err)
	}
}

func TestTheEndOfAnOldRegistrationTouchesNoNewerOne(t *testing.T) {
	t.Parallel()
	server := testserver.StartNATS(t)
	js := connect(t, server.URL)
	makeBucket(t, js, 1)
	w := watchtest.Start(t, newInstancer(t, js))
	watchtest.WantAddresses(t, w.Set())
	replaced := make(chan error, 100)
	short := natskv.RegistrarTTL(time.Second)
	old := register(t, js, sd.Instance{ID: "a", Address: "10.0.0.1:80"}, short, natskv.RegistrarOnError(func(err error) { replaced <- err }))
	watchtest.WantAddresses(t, w.Set(), "10.0.0.1:80")
	newer := register(t, connect(t, server.URL), sd.Instance{ID: "a", Address: "10.0.0.2:80"}, short)
	watchtest.WantAddresses(t, w.Set(), "10.0.0.2:80")
	select {
	case err := <-replaced:
		if !strings.Contains(err.Error(), "has replaced it") {
			t.Errorf("want that it was replaced, have %v", err)
		}
	case <-time.After(patience):
		t.Error("want the hook to be told")
	}
	// Of three there is the last, and when it goes the one that is left.
	last := register(t, js, sd.Instance{ID: "a", Address: "10.0.0.3:80"}, short)
	watchtest.WantAddresses(t, w.Set(), "10.0.0.3:80")
	newer()
	last()
	for {
		if set := w.Set(); len(set) > 0 {
			watchtest.WantAddresses(t, set, "10.0.0.1:80")
			break
		}
	}
	same := register(t, js, sd.Instance{ID: "a", Address: "10.0.0.1:80"}, short) // which differs in nothing but who has written it
	old()
	register(t, js, sd.Instance{ID: "b", Address: "10.0.0.4:80"}, short)
	watchtest.WantAddresses(t, w.Set(), "10.0.0.1:80", "10.0.0.4:80")
	if len(replaced) > 2 {
		t.Errorf("want it said once each time, have %d more", len(replaced))
	}
	same()
	watchtest.WantAddresses(t, w.Set(), "10.0.0.4:80")
}

func TestServicesShareABucketWithAnythingElse(t *testing.T) {
	t.Parallel()
	server := testserver.StartNATS(t)
	js := connect(t, server.URL)
	bucket := makeBucket(t, js, 1)
	for _, key := range []string{"other", "orders", "orders.a.b", "ordersx.a", "a.orders.b"} {
		if _, err := bucket.PutString(t.Context(), key, "no instance"); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"a", "a.b", "a:b", "a$b"} {
		r, err := natskv.NewRegistrar(js, bucketName, name)
		if err != nil {
			t.Fatal(err)
		}
		deregister, err := r.Register(t.Context(), sd.Instance{ID: "b.c", Address: name + ":80"})
		if err != nil {
			t.Fatal(err)
		}
		defer deregister(context.WithoutCancel(t.Context())) //nolint:errcheck // with the server
	}
	for _, name := range []string{"a", "a.b", "a:b", "a$b"} {
		i, err := natskv.NewInstancer(js, bucketName, name)
		if err != nil {
			t.Fatal(err)
		}
		watchtest.WantAddresses(t, watchtest.Start(t, i).Set(), name+":80")
	}
	watchtest.WantAddresses(t, watchtest.Start(t, newInstancer(t, js)).Set())
}

func TestABucketMustBeThereAndKnowTimesToLive(t *testing.T) {
	t.Parallel()
	server := testserver.StartNATS(t)
	js := connect(t, server.URL)
	refused := func(want error, text string) {
		t.Helper()
		_, err := newRegistrar(t, js).Register(t.Context(), sd.Instance{Address: "10.0.0.1:80"})
		for _, err := range []error{err, watchtest.Start(t, newInstancer(t, js)).Fails()} {
			if err == nil || want != nil && !errors.Is(err, want) || !strings.Contains(err.Error(), text) {
				t.Errorf("want %v, and %q, have %v", want, text, err)
			}
		}
	}
	refused(jetstream.ErrBucketNotFound, bucketName)
	if _, err := js.CreateKeyValue(t.Context(), jetstream.KeyValueConfig{Bucket: bucketName, TTL: time.Hour}); err != nil {
		t.Fatal(err)
	}
	refused(nil, "natskv.Bucket")
	if err := js.DeleteKeyValue(t.Context(), bucketName); err != nil {
		t.Fatal(err)
	}
	mirror := jetstream.KeyValueConfig{Bucket: bucketName, Mirror: &jetstream.StreamSource{Name: "other"}}
	if _, err := js.CreateKeyValue(t.Context(), natskv.Bucket("other")); err != nil {
		t.Fatal(err)
	}
	if _, err := js.CreateKeyValue(t.Context(), mirror); err != nil {
		t.Fatal(err)
	}
	refused(nil, "a mirror")
}

func TestABucketOfAnotherDomainIsWrittenTo(t *testing.T) {
	t.Parallel()
	server := testserver.StartNATS(t, "jetstream: {domain: hub}")
	here := connect(t, server.URL)
	makeBucket(t, here, 1)
	domain, err := jetstream.NewWithDomain(here.Conn(), "hub")
	if err != nil {
		t.Fatal(err)
	}
	prefix, err := jetstream.NewWithAPIPrefix(here.Conn(), "$JS.hub.API")
	if err != nil {
		t.Fatal(err)
	}
	plain, err := jetstream.NewWithAPIPrefix(here.Conn(), "$JS.API")
	if err != nil {
		t.Fatal(err)
	}
	want := make([]string, 0, 3)
	for n, js := range []jetstream.JetStream{domain, prefix, plain} {
		want = append(want, fmt.Sprintf("10.0.0.%d:80", n))
		register(t, js, sd.Instance{Address: want[n]})
		watchtest.WantAddresses(t, watchtest.Start(t, newInstancer(t, js)).Set(), want...)
	}
	watchtest.WantAddresses(t, watchtest.Start(t, newInstancer(t, here)).Set(), want...)
}

func TestTokensAreKeysAndDiffer(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"orders": "orders", "A-b_9": "A-b_9", "10.0.0.1:80": "10=2E0=2E0=2E1=3A80", "=": "=3D", "a*>": "a=2A=3E", "ü": "=C3=BC", " ": "=20",
	} {
		if have := natskv.Token(text); have != want {
			t.Errorf("%q: want %s, have %s", text, want, have)
		}
	}
}

func FuzzToken(f *testing.F) {
	valid := regexp.MustCompile(`^[-_=a-zA-Z0-9]*$`)
	f.Add("a.b", "a=2Eb")
	f.Add("", "=")
	f.Fuzz(func(t *testing.T, a, b string) {
		one, two := natskv.Token(a), natskv.Token(b)
		if (a == b) != (one == two) || !valid.MatchString(one) || strings.Count(one, "=") > len(a) {
			t.Errorf("%q is %s, and %q is %s", a, one, b, two)
		}
	})
}
