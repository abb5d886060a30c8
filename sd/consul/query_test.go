package consul_test

import (
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/consul/api"

	"github.com/ashlar-go/ashlar/sd"
	"github.com/ashlar-go/ashlar/sd/consul"
)

// script answers queries as an agent might, and records them. What a real agent does is tested elsewhere; here it answers what is hard
// to bring about.
type script struct {
	answer func(n int, r *http.Request) (index, body string, status int)

	mu      sync.Mutex
	queries []string
	times   []time.Time
}

func (s *script) RoundTrip(r *http.Request) (*http.Response, error) {
	s.mu.Lock()
	n := len(s.queries)
	s.queries = append(s.queries, r.URL.RawQuery)
	s.times = append(s.times, time.Now())
	s.mu.Unlock()
	index, body, status := s.answer(n, r)
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	return &http.Response{
		StatusCode: status, Header: http.Header{"X-Consul-Index": {index}, "X-Consul-Lastcontact": {"0"}},
		Body: io.NopCloser(strings.NewReader(body)), Request: r,
	}, nil
}

func (s *script) client(t *testing.T) *api.Client {
	t.Helper()
	client, err := api.NewClient(&api.Config{Address: "agent", HttpClient: &http.Client{Transport: s}})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// block waits as an agent does that has no news.
func block(r *http.Request) {
	wait, err := time.ParseDuration(r.URL.Query().Get("wait"))
	if err != nil {
		wait = time.Hour
	}
	select {
	case <-time.After(wait):
	case <-r.Context().Done():
	}
}

// run watches for a time, in a bubble of synctest, and returns how many sets and errors came.
func run(t *testing.T, s *script, limit time.Duration, opts ...consul.InstancerOption) (sets, errs int) {
	t.Helper()
	ctx, cancel := contextFor(t, limit)
	defer cancel()
	for _, err := range newInstancer(t, s.client(t), "web", opts...).Watch(ctx) {
		if err != nil {
			errs++
			continue
		}
		sets++
	}
	return sets, errs
}

func TestTheIndexIsHandledAsHashiCorpDocumentsIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		indexes := []string{"7", "9", "5", "6", "0", "junk", "8"} // what the agent answers
		want := []string{"", "7", "9", "", "6", "", "1", "8"}     // what it was asked with: never again with one that went backwards
		s := &script{answer: func(n int, r *http.Request) (string, string, int) {
			if n >= len(indexes) {
				block(r)
				return "8", "[]", http.StatusOK
			}
			return indexes[n], "[]", http.StatusOK
		}}
		if sets, errs := run(t, s, time.Minute); sets != 1 || errs != 0 {
			t.Errorf("want the one set, have %d sets and %d errors", sets, errs)
		}
		for n, query := range s.queries[:len(want)] {
			have := ""
			for parameter := range strings.SplitSeq(query, "&") {
				if value, ok := strings.CutPrefix(parameter, "index="); ok {
					have = value
				}
			}
			if have != want[n] {
				t.Errorf("query %d: want index %q, have %q", n, want[n], have)
			}
		}
	})
}

func TestChangesWithoutEndAreNoBusyLoop(t *testing.T) {
	t.Parallel()
	const node = `{"Node":{"Node":"n"},"Service":{"ID":"1","Port":80,"Address":"a","Weights":{"Passing":`
	for name, answer := range map[string]func(n int, r *http.Request) (string, string, int){
		"changes": func(n int, _ *http.Request) (string, string, int) {
			return strconv.Itoa(n + 1), "[" + node + strconv.Itoa(n+2) + "}}}]", http.StatusOK
		},
		"an index that stays 0": func(int, *http.Request) (string, string, int) { return "0", "[]", http.StatusOK },
		"no index":              func(int, *http.Request) (string, string, int) { return "", "[]", http.StatusOK },
		"an index that goes backwards": func(n int, _ *http.Request) (string, string, int) {
			return strconv.Itoa(1000000 - n), "[]", http.StatusOK
		},
		"errors": func(int, *http.Request) (string, string, int) { return "", "no leader", http.StatusInternalServerError },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := &script{answer: answer}
				run(t, s, time.Minute)
				const burst, seconds = 2, 60
				if n := len(s.times); n > burst+seconds || n < 10 {
					t.Errorf("%d queries in a minute, want about one in a second at most", n)
				}
				if len(s.times) > 1 && s.times[1].Sub(s.times[0]) > time.Second {
					t.Errorf("want the second query soon after the first, have it after %v", s.times[1].Sub(s.times[0]))
				}
			})
		})
	}
}

func TestAnAgentThatNeverAnswersIsAnError(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &script{answer: func(n int, r *http.Request) (string, string, int) {
			if n > 0 {
				<-r.Context().Done()
			}
			return "3", "[]", http.StatusOK
		}}
		if sets, errs := run(t, s, 90*time.Second); sets != 1 || errs != 1 {
			t.Errorf("want an error after a minute and some seconds, have %d sets and %d errors", sets, errs)
		}
	})
}

func TestAnswersThatAreNoneAreErrors(t *testing.T) {
	t.Parallel()
	for _, body := range []string{"", "{", `{"a":1}`, `[{"Service":7}]`} {
		synctest.Test(t, func(t *testing.T) {
			s := &script{answer: func(int, *http.Request) (string, string, int) { return "3", body, http.StatusOK }}
			if sets, errs := run(t, s, time.Second); sets != 0 || errs == 0 {
				t.Errorf("%q: want errors, have %d sets and %d errors", body, sets, errs)
			}
		})
	}
	for _, body := range []string{"null", "[null]", `[{}]`, `[{"Node":{"Node":"n"}}]`, `[{"Service":{"ID":"1"}}]`} {
		synctest.Test(t, func(t *testing.T) {
			s := &script{answer: func(n int, r *http.Request) (string, string, int) {
				if n > 0 {
					block(r)
				}
				return "3", body, http.StatusOK
			}}
			if sets, errs := run(t, s, time.Second); sets != 1 || errs != 0 {
				t.Errorf("%q: want a set without instances, have %d sets and %d errors", body, sets, errs)
			}
		})
	}
}

func FuzzAnswer(f *testing.F) {
	f.Add(`[{"Node":{"Node":"n","Address":"a"},"Service":{"ID":"1","Port":80,"Weights":{"Passing":1},"Tags":["b","a"],"Meta":{"zone":"z","k":"v"}}}]`)
	f.Add(`[null,{},{"Node":{},"Service":{"Address":"::1","Port":-1,"Meta":{"ashlar-id":"x"}}}]`)
	f.Fuzz(func(t *testing.T, body string) {
		s := &script{answer: func(int, *http.Request) (string, string, int) { return "1", body, http.StatusOK }}
		for set, err := range newInstancer(t, s.client(t), "web").Watch(t.Context()) {
			if err != nil && set != nil || err == nil && !sd.Same(set, sd.Normalize(set)) {
				t.Errorf("%q: %v, %v", body, set, err)
			}
			for _, i := range set {
				if err := i.Check(); err != nil {
					t.Errorf("%q: %v", body, err)
				}
			}
			break
		}
	})
}

func TestADeadlineEndsAWatchThatIsHeldBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		s := &script{answer: func(n int, _ *http.Request) (string, string, int) { return strconv.Itoa(n + 1), "[]", http.StatusOK }}
		const limit = 1500 * time.Millisecond // in which the next query is not due
		if sets, errs := run(t, s, limit); sets != 1 || errs != 0 || time.Since(begin) != limit {
			t.Errorf("want the one set, no error, and the end after %v, have %d, %d and %v", limit, sets, errs, time.Since(begin))
		}
	})
}
