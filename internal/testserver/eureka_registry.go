package testserver

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// The statuses of an instance.
const (
	statusUp      = "UP"
	statusUnknown = "UNKNOWN"
)

func eurekaStatuses() []string {
	return []string{statusUp, "DOWN", "STARTING", "OUT_OF_SERVICE", statusUnknown}
}

// eurekaRegistry is what a server of Eureka knows. It is safe for concurrent use.
type eurekaRegistry struct {
	refresh time.Duration

	mu        sync.Mutex
	apps      map[string]map[string]*eurekaLease // by name and ID
	overrides map[string]string                  // by ID
	cache     map[string]eurekaCached            // by name
}

// eurekaLease is an instance that is registered.
type eurekaLease struct {
	instance   *eurekaInstance
	duration   time.Duration
	registered time.Time
	renewed    time.Time
	updated    time.Time // from which on it lasts; a renewal adds the duration to it once more, which Netflix keeps for compatibility
}

type eurekaCached struct {
	instances []any
	at        time.Time
}

func newEurekaRegistry(refresh time.Duration) *eurekaRegistry {
	return &eurekaRegistry{
		refresh:   refresh,
		apps:      make(map[string]map[string]*eurekaLease),
		overrides: make(map[string]string),
		cache:     make(map[string]eurekaCached),
	}
}

// evict takes out what has expired.
func (g *eurekaRegistry) evict(now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, leases := range g.apps {
		maps.DeleteFunc(leases, func(_ string, l *eurekaLease) bool { return now.After(l.updated.Add(l.duration)) })
	}
}

// lease returns that of the request, or nil.
func (g *eurekaRegistry) lease(r *http.Request) *eurekaLease {
	return g.apps[strings.ToUpper(r.PathValue("app"))][r.PathValue("id")]
}

func (g *eurekaRegistry) all(*http.Request) (int, any) {
	g.mu.Lock()
	defer g.mu.Unlock()
	apps := []any{}
	for _, name := range slices.Sorted(maps.Keys(g.apps)) {
		if instances := g.list(name); len(instances) > 0 {
			apps = append(apps, map[string]any{"name": name, "instance": instances})
		}
	}
	return http.StatusOK, map[string]any{"applications": map[string]any{"versions__delta": "1", "apps__hashcode": "", "application": apps}}
}

// list returns the instances of an application as they are written.
func (g *eurekaRegistry) list(name string) []any {
	var instances []any
	leases := g.apps[name]
	for _, id := range slices.Sorted(maps.Keys(leases)) {
		instances = append(instances, g.written(leases[id]))
	}
	return instances
}

func (g *eurekaRegistry) application(r *http.Request) (int, any) {
	g.mu.Lock()
	defer g.mu.Unlock()
	name := strings.ToUpper(r.PathValue("app"))
	cached, ok := g.cache[name]
	if now := time.Now(); !ok || now.Sub(cached.at) >= g.refresh {
		cached = eurekaCached{g.list(name), now}
		g.cache[name] = cached
	}
	if len(cached.instances) == 0 {
		return http.StatusNotFound, nil
	}
	return http.StatusOK, map[string]any{"application": map[string]any{"name": name, "instance": cached.instances}}
}

func (g *eurekaRegistry) register(r *http.Request) (int, any) {
	app := strings.ToUpper(r.PathValue("app"))
	instance, status, err := readEurekaInstance(r, app)
	if err != nil {
		return status, err.Error()
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	now := time.Now()
	if g.apps[app] == nil {
		g.apps[app] = make(map[string]*eurekaLease)
	}
	lease := &eurekaLease{instance: instance, duration: instance.duration(), registered: now, renewed: now, updated: now}
	if old := g.apps[app][instance.ID]; old != nil {
		lease.registered = old.registered
		if old.instance.Dirty > instance.Dirty {
			lease.instance = old.instance
		}
	}
	g.apps[app][instance.ID] = lease
	return http.StatusNoContent, nil
}

func (g *eurekaRegistry) instance(r *http.Request) (int, any) {
	g.mu.Lock()
	defer g.mu.Unlock()
	lease := g.lease(r)
	if lease == nil {
		return http.StatusNotFound, nil
	}
	return http.StatusOK, map[string]any{"instance": g.written(lease)}
}

func (g *eurekaRegistry) renew(r *http.Request) (int, any) {
	g.mu.Lock()
	defer g.mu.Unlock()
	lease := g.lease(r)
	if lease == nil || g.status(lease) == statusUnknown {
		return http.StatusNotFound, nil
	}
	lease.renewed = time.Now()
	lease.updated = lease.renewed.Add(lease.duration)
	if dirty, ok := number(r, "lastDirtyTimestamp"); ok && dirty > lease.instance.Dirty {
		return http.StatusNotFound, nil
	}
	return http.StatusOK, nil
}

func (g *eurekaRegistry) cancel(r *http.Request) (int, any) {
	g.mu.Lock()
	defer g.mu.Unlock()
	lease := g.lease(r)
	delete(g.overrides, r.PathValue("id"))
	if lease == nil {
		return http.StatusNotFound, nil
	}
	delete(g.apps[strings.ToUpper(r.PathValue("app"))], r.PathValue("id"))
	return http.StatusOK, nil
}

func (g *eurekaRegistry) override(r *http.Request) (int, any) {
	g.mu.Lock()
	defer g.mu.Unlock()
	value := r.URL.Query().Get("value")
	switch {
	case g.lease(r) == nil:
		return http.StatusNotFound, nil
	case !slices.Contains(eurekaStatuses(), value):
		return http.StatusInternalServerError, nil
	}
	g.overrides[r.PathValue("id")] = value
	return http.StatusOK, nil
}

func (g *eurekaRegistry) endOverride(r *http.Request) (int, any) {
	g.mu.Lock()
	defer g.mu.Unlock()
	lease := g.lease(r)
	if lease == nil {
		return http.StatusNotFound, nil
	}
	delete(g.overrides, r.PathValue("id"))
	lease.instance.Status = cmp.Or(r.URL.Query().Get("value"), statusUnknown) // until the instance is registered again
	return http.StatusOK, nil
}

// status returns that of the lease, which may be overridden.
func (g *eurekaRegistry) status(lease *eurekaLease) string {
	return cmp.Or(g.overrides[lease.instance.ID], lease.instance.Status)
}
