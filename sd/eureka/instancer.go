package eureka

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"

	"github.com/ashlar-go/ashlar/internal/option"
	"github.com/ashlar-go/ashlar/sd"
	"github.com/ashlar-go/ashlar/sd/internal/driver"
)

// Instancer watches the instances of one application that are UP. It implements sd.Instancer, and is safe for concurrent use. Each watch
// asks the servers by itself; sd.Cache shares one.
type Instancer struct {
	client   *Client
	service  string
	settings instancerSettings
}

// NewInstancer returns the Instancer of the application of that name, in which Eureka does not tell upper from lower case. It asks the
// servers nothing yet; the error is about the arguments.
func NewInstancer(client *Client, service string, opts ...InstancerOption) (*Instancer, error) {
	settings := instancerSettings{interval: 10 * time.Second, grace: 30 * time.Second}
	if err := errors.Join(check(client, service), option.Set(&settings, opts)); err != nil {
		return nil, fmt.Errorf("eureka: NewInstancer: %w", err)
	}
	return &Instancer{client: client, service: service, settings: settings}, nil
}

// Watch implements sd.Instancer.
func (i *Instancer) Watch(ctx context.Context) iter.Seq2[[]sd.Instance, error] {
	return func(yield func([]sd.Instance, error) bool) {
		p := &poll{
			Instancer: i,
			session:   session{Client: i.client},
			app:       strings.ToUpper(i.service),
			is:        make(map[int]bool),
			memory:    memory{grace: i.settings.grace},
		}
		driver.Watch(ctx, p.read)(yield)
	}
}

// poll is one watch.
type poll struct {
	*Instancer
	session

	app    string
	is     map[int]bool // which servers are known to be servers of Eureka
	memory memory
}

func (p *poll) read(ctx context.Context, feed *driver.Feed) error {
	for {
		have, err := p.fetch(ctx)
		if err != nil {
			p.memory.failed()
			return fmt.Errorf("eureka: asking for the instances of %s: %w", p.app, err)
		}
		if !feed.Set(p.memory.complete(have, p.at), have.invalid...) {
			return nil
		}
		const part = 10                                                                // of the interval is random, so that not all come at once
		timer := time.NewTimer(p.settings.interval - rand.N(p.settings.interval/part)) //nolint:gosec // no secret
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return nil
		}
	}
}

func (p *poll) fetch(ctx context.Context) (registry, error) {
	a, err := p.ask(ctx, request{method: http.MethodGet, path: []string{"apps", p.app}}, http.StatusOK, http.StatusNotFound)
	if err != nil {
		return registry{}, err
	}
	var have registry
	if a.status == http.StatusOK {
		have, err = decode(p.app, a.body)
	} else {
		err = p.identify(ctx)
	}
	if err != nil {
		p.next()
		return registry{}, err
	}
	p.is[p.at] = true
	return have, nil
}

// identify returns an error if the server that does not know the application is none of Eureka. A wrong URL would look like an
// application without instances.
func (p *poll) identify(ctx context.Context) error {
	if p.is[p.at] {
		return nil
	}
	r := request{method: http.MethodGet, path: []string{"apps"}, bodyless: true}
	a, err := p.askOne(ctx, r)
	if err == nil && a.status != http.StatusOK {
		err = fmt.Errorf("there is no server of Eureka at %s, which answers HTTP %d; does the URL lack /eureka or the like?",
			p.url(r).Redacted(), a.status)
	}
	return err
}
