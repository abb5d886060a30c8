package eureka_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ashlar-go/ashlar/sd"
	"github.com/ashlar-go/ashlar/sd/eureka"
)

// script answers requests for an application as a server might.
type script struct {
	status   int
	body     string
	header   http.Header
	requests atomic.Int64
}

func (s *script) RoundTrip(r *http.Request) (*http.Response, error) {
	s.requests.Add(1)
	return &http.Response{StatusCode: s.status, Header: s.header, Body: io.NopCloser(strings.NewReader(s.body)), Request: r}, nil
}

// first returns the first that a watch yields of what the server answers.
func (s *script) first(t testing.TB, opts ...eureka.ClientOption) (set []sd.Instance, err error) {
	t.Helper()
	client, err := eureka.NewClient(&http.Client{Transport: s}, []string{"http://user:secret@eureka/eureka"}, opts...)
	if err != nil {
		t.Fatal(err)
	}
	instancer, err := eureka.NewInstancer(client, "web")
	if err != nil {
		t.Fatal(err)
	}
	for set, err := range instancer.Watch(t.Context()) {
		return set, err
	}
	return nil, errors.New("nothing")
}

func TestAnswersThatAreNoneAreErrors(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		"":                        "no application",
		"{}":                      "no application",
		"<application/>":          "no application",
		`{"application":7}`:       "no application",
		strings.Repeat(" ", 4097): "more than 4096 bytes",
	} {
		s := &script{status: http.StatusOK, body: body}
		if set, err := s.first(t, eureka.ClientMaxResponse(4096)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.30q: want an error with %q, have %v, %v", body, want, set, err)
		}
	}
	for status, want := range map[int]string{
		http.StatusNotFound: "there is no server of Eureka at http://user:xxxxx@eureka/eureka/apps", http.StatusUnauthorized: "HTTP 401",
		http.StatusBadGateway: "HTTP 502", http.StatusNoContent: "HTTP 204",
	} {
		s := &script{status: status, body: "why"}
		if set, err := s.first(t); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("want an error with %q, have %v, %v", want, set, err)
		}
	}
}

func TestEntriesThatAreNoneAreInvalid(t *testing.T) {
	t.Parallel()
	for entry, body := range map[string]string{
		"WEB/#0": `{"application":{"instance":[{"status":"UP"}]}}`,
		"WEB/1":  `{"application":{"instance":{"instanceId":"1","status":"UP","hostName":"a","metadata":{"ashlar.tags":"x"}}}}`,
		"WEB/2":  `{"application":{"instance":{"instanceId":"2","status":"UP","hostName":"a","metadata":{"k":{"a":1}}}}}`,
		"WEB/3":  `{"application":{"instance":{"instanceId":"3","status":"UP","hostName":"a","metadata":{"ashlar.weight":"-1"}}}}`,
	} {
		s := &script{status: http.StatusOK, body: body}
		var invalid *sd.InvalidError
		if set, err := s.first(t); !errors.As(err, &invalid) || invalid.Entry != entry {
			t.Errorf("want an *sd.InvalidError about %s, have %v, %v", entry, set, err)
		}
	}
	for _, body := range []string{
		`{"application":{"name":"WEB"}}`, `{"application":{"instance":[]}}`, `{"application":{"instance":null}}`,
		`{"application":{"instance":{"instanceId":"1","status":"DOWN"}}}`,
	} {
		s := &script{status: http.StatusOK, body: body}
		if set, err := s.first(t); err != nil || len(set) > 0 {
			t.Errorf("%s: want an empty set, have %v, %v", body, set, err)
		}
	}
}

func TestAnotherPortThanTheUsualFormIsRead(t *testing.T) {
	t.Parallel()
	for want, instance := range map[string]string{
		"a:80":   `"hostName":"a","port":{"$":80,"@enabled":true}`,
		"b:81":   `"ipAddr":"b","port":{"$":"81","@enabled":"TRUE"}`,
		"c":      `"hostName":"c","port":{"$":82,"@enabled":"false"},"metadata":""`,
		"d:9000": `"hostName":"d","securePort":{"$":9000,"@enabled":"true"},"metadata":{"@class":"java.util.Collections$EmptyMap"}`,
	} {
		s := &script{status: http.StatusOK, body: `{"application":{"instance":{"status":"UP",` + instance + `}}}`}
		set, err := s.first(t)
		if err != nil || len(set) != 1 || set[0].Address != want || set[0].ID != want || set[0].Metadata != nil {
			t.Errorf("want %s alone, have %+v, %v", want, set, err)
		}
	}
}

func TestARedirectThatChangesTheMethodIsAnError(t *testing.T) {
	t.Parallel()
	s := &script{status: http.StatusFound, header: http.Header{"Location": {"https://eureka/eureka/apps/WEB"}}}
	hop := roundTripper(func(r *http.Request) (*http.Response, error) {
		switch {
		case r.Method == http.MethodPost:
			return s.RoundTrip(r)
		case r.URL.Scheme == "https":
			return (&script{status: http.StatusOK, body: "{}"}).RoundTrip(r)
		}
		return (&script{status: http.StatusNotFound}).RoundTrip(r)
	})
	client, err := eureka.NewClient(&http.Client{Transport: hop}, []string{"http://eureka/eureka"})
	if err != nil {
		t.Fatal(err)
	}
	registrar, err := eureka.NewRegistrar(client, "web")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := registrar.Register(t.Context(), sd.Instance{Address: "a:80"}); err == nil || !strings.Contains(err.Error(), "redirected to a GET") {
		t.Errorf("want an error that says so, have %v", err)
	}
}

type roundTripper func(r *http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestQuestionsComeInTheirInterval(t *testing.T) {
	t.Parallel()
	for _, status := range []int{http.StatusOK, http.StatusInternalServerError} {
		t.Run(strconv.Itoa(status), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := &script{status: status, body: `{"application":{}}`}
				client, err := eureka.NewClient(&http.Client{Transport: s}, []string{"http://a", "http://b"})
				if err != nil {
					t.Fatal(err)
				}
				instancer, err := eureka.NewInstancer(client, "web", eureka.InstancerInterval(10*time.Second))
				if err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				for range instancer.Watch(ctx) {
				}
				// Each 9 to 10 s, and after errors each 1.5 to 3 s, of both servers.
				if n := s.requests.Load(); status == http.StatusOK && (n < 6 || n > 8) || status != http.StatusOK && (n < 30 || n > 100) {
					t.Errorf("%d requests in a minute", n)
				}
			})
		})
	}
}

func FuzzAnswer(f *testing.F) {
	f.Add(`{"application":{"instance":{"instanceId":"1","status":"UP","hostName":"a","port":{"$":80,"@enabled":"true"}}}}`)
	f.Add(`{"application":{"instance":[{"status":"UP","ipAddr":"::1","metadata":{"ashlar.tags":"[\"b\",\"a\"]","ashlar.weight":3,"x":null}}]}}`)
	f.Fuzz(func(t *testing.T, body string) {
		set, err := (&script{status: http.StatusOK, body: body}).first(t)
		if err != nil && set != nil || err == nil && !sd.Same(set, sd.Normalize(set)) {
			t.Errorf("%q: %v, %v", body, set, err)
		}
		for _, i := range set {
			if err := i.Check(); err != nil {
				t.Errorf("%q: %v", body, err)
			}
		}
	})
}
