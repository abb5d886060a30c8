package transporttest_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"maps"
	"strings"
	"sync"
	"testing"

	"github.com/ashlar-go/ashlar/auth"
	"github.com/ashlar-go/ashlar/endpoint"
	"github.com/ashlar-go/ashlar/internal/testserver"
	"github.com/ashlar-go/ashlar/log"
	"github.com/ashlar-go/ashlar/status"
	"github.com/ashlar-go/ashlar/transport"
	"github.com/ashlar-go/ashlar/transport/transporttest"
)

// journal is what a server writes into its log.
type journal struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.b.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.b.String()
}

// A request log has all header fields and says why callers were refused, and has no secret in it, whichever way the call came.
//
//nolint:paralleltest // as TestMatrix
func TestRequestLogsHaveNoSecrets(t *testing.T) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	subject := tokens(t, private)
	good, err := subject.Source.Credential(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	expired := ""
	for _, a := range subject.Attacks {
		if a.Name == "token: expired" {
			expired = a.Header.Get("Authorization")
		}
	}
	secrets := map[string]string{"Cookie": "session=a-secret-of-cookies", "X-Api-Key": "a-secret-of-keys", "X-Password": "a-secret-of-users"}
	for _, h := range harnesses(testserver.StartNATS(t).URL) {
		t.Run(h.Name, func(t *testing.T) {
			var written journal
			fields := log.Fields(func(ctx context.Context) []any {
				return []any{"header", maps.Collect(transport.FromContext(ctx).Request.All())}
			})
			logging := log.Middleware(log.Redact(log.New(&written, log.MinLevel(log.LevelDebug))), fields)
			call := open(t, h, kindsOf(h)[0], logging, auth.Middleware(subject.Authenticator))
			for token, want := range map[string]status.Code{good.Value: status.OK, expired: status.Unauthenticated} {
				ctx := transport.WithHeader(t.Context(), "Authorization", token)
				for key, value := range secrets {
					ctx = transport.WithHeader(ctx, key, value)
				}
				err := call(ctx, endpoint.Seq(transporttest.Message{Text: "hello"}), func(transporttest.Message) error { return nil })
				if status.CodeOf(err) != want {
					t.Errorf("want %v, have %v", want, err)
				}
			}
			text := written.String()
			for _, secret := range []string{"a-secret-of", good.Value[len("Bearer "):], expired[len("Bearer "):], expired[strings.LastIndexByte(expired, '.'):]} {
				if strings.Contains(text, secret) {
					t.Errorf("the log has %q in it:\n%s", secret, text)
				}
			}
			if strings.Count(text, "[redacted]") < 2*len(secrets) || !strings.Contains(text, "exp") {
				t.Errorf("want the fields, redacted, and the reason, have\n%s", text)
			}
		})
	}
}
