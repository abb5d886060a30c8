package testserver

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// eurekaInstance is an instance as a client registers it. The names are Eureka's.
type eurekaInstance struct {
	ID         string            `json:"instanceId"`
	Host       string            `json:"hostName"`
	App        string            `json:"app"`
	IP         string            `json:"ipAddr"`
	VIP        string            `json:"vipAddress"`
	SecureVIP  string            `json:"secureVipAddress,omitempty"`
	Status     string            `json:"status"`
	Port       *eurekaPort       `json:"port"`
	SecurePort *eurekaPort       `json:"securePort"`
	DataCenter *eurekaDataCenter `json:"dataCenterInfo"`
	Lease      *eurekaLeaseInfo  `json:"leaseInfo"`
	Metadata   map[string]string `json:"metadata"`
	Dirty      int64             `json:"lastDirtyTimestamp,string"`
}

type eurekaPort struct {
	Number  int    `json:"$"`
	Enabled string `json:"@enabled"`
}

type eurekaDataCenter struct {
	Class string `json:"@class"`
	Name  string `json:"name"`
}

type eurekaLeaseInfo struct {
	Renewal  int `json:"renewalIntervalInSecs"`
	Duration int `json:"durationInSecs"`
}

const (
	eurekaDuration = 90
	eurekaRenewal  = 30
	mostOfBody     = 1 << 20
)

func (i *eurekaInstance) duration() time.Duration {
	return time.Duration(i.Lease.Duration) * time.Second
}

// readEurekaInstance returns the instance that a client registers under the name, or the status with which it is refused.
func readEurekaInstance(r *http.Request, app string) (*eurekaInstance, int, error) {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return nil, http.StatusUnsupportedMediaType, errors.New("want JSON")
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, mostOfBody))
	if err != nil {
		return nil, http.StatusBadRequest, err
	}
	var envelope struct {
		Instance *eurekaInstance `json:"instance"`
	}
	if err := json.Unmarshal(body, &envelope); err != nil {
		return nil, http.StatusBadRequest, err
	}
	if envelope.Instance == nil {
		return nil, http.StatusBadRequest, errors.New("there is no instance")
	}
	return envelope.Instance, http.StatusBadRequest, envelope.Instance.complete(app)
}

// complete fills in what may be missing, and returns what must not be.
func (i *eurekaInstance) complete(app string) error {
	i.App = strings.ToUpper(i.App)
	for _, field := range []struct{ name, value string }{
		{"instanceId", i.ID}, {"hostname", i.Host}, {"ip address", i.IP}, {"appName", i.App}, {"vipAddress", i.VIP}, {"status", i.Status},
	} {
		if field.value == "" {
			return errors.New("missing " + field.name)
		}
	}
	if i.App != app {
		return fmt.Errorf("mismatched appName, expecting %s but was %s", app, i.App)
	}
	if i.DataCenter == nil || i.DataCenter.Class == "" || !slices.Contains([]string{"Netflix", "Amazon", "MyOwn"}, i.DataCenter.Name) {
		return errors.New("missing dataCenterInfo")
	}
	for _, p := range []**eurekaPort{&i.Port, &i.SecurePort} {
		if *p == nil {
			*p = &eurekaPort{7001, "false"}
		}
		if _, err := strconv.ParseBool((*p).Enabled); err != nil || (*p).Number < 1 {
			return fmt.Errorf("no port: %+v", **p)
		}
	}
	if !slices.Contains(eurekaStatuses(), i.Status) {
		i.Status = statusUnknown
	}
	i.Lease = cmp.Or(i.Lease, new(eurekaLeaseInfo))
	i.Lease.Renewal, i.Lease.Duration = positive(i.Lease.Renewal, eurekaRenewal), positive(i.Lease.Duration, eurekaDuration)
	if i.Dirty == 0 {
		i.Dirty = time.Now().UnixMilli()
	}
	return nil
}

func positive(n, otherwise int) int {
	if n > 0 {
		return n
	}
	return otherwise
}

// written returns the instance of the lease as it is written.
func (g *eurekaRegistry) written(l *eurekaLease) any {
	i := l.instance
	metadata := make(map[string]any, len(i.Metadata))
	for key, value := range i.Metadata {
		metadata[key] = value
	}
	if len(metadata) == 0 {
		metadata["@class"] = "java.util.Collections$EmptyMap"
	}
	return map[string]any{
		"instanceId": i.ID, "hostName": i.Host, "app": i.App, "ipAddr": i.IP, "vipAddress": i.VIP, "secureVipAddress": i.SecureVIP,
		"status": g.status(l), "overriddenstatus": cmp.Or(g.overrides[i.ID], statusUnknown),
		"port": i.Port, "securePort": i.SecurePort, "countryId": 1, "dataCenterInfo": i.DataCenter, "metadata": metadata,
		"leaseInfo": map[string]any{
			"renewalIntervalInSecs": i.Lease.Renewal, "durationInSecs": i.Lease.Duration,
			"registrationTimestamp": l.registered.UnixMilli(), "lastRenewalTimestamp": l.renewed.UnixMilli(),
			"evictionTimestamp": 0, "serviceUpTimestamp": l.registered.UnixMilli(),
		},
		"isCoordinatingDiscoveryServer": "false", "actionType": "ADDED",
		"lastUpdatedTimestamp": strconv.FormatInt(l.registered.UnixMilli(), 10), "lastDirtyTimestamp": strconv.FormatInt(i.Dirty, 10),
	}
}

// write writes an answer. Texts are those of errors.
func (s *Eureka) write(w http.ResponseWriter, r *http.Request, status int, value any) {
	if value == nil {
		w.WriteHeader(status)
		return
	}
	if text, ok := value.(string); ok {
		http.Error(w, text, status)
		return
	}
	if !strings.Contains(r.Header.Get("Accept"), "json") {
		http.Error(w, "this server has JSON only, and Eureka gives XML to whoever does not ask for JSON", http.StatusNotAcceptable)
		return
	}
	data, err := json.Marshal(value)
	if err == nil && s.single.Load() {
		data, err = asXStream(data)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(data) // the client sees what is missing
}

// asXStream returns JSON as XStream and Jettison write it.
func asXStream(data []byte) ([]byte, error) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, err
	}
	return json.Marshal(shrink(value))
}

func shrink(value any) any {
	switch v := value.(type) {
	case map[string]any:
		for key, element := range v {
			v[key] = shrink(element)
		}
	case []any:
		for n, element := range v {
			v[n] = shrink(element)
		}
		if len(v) == 1 {
			return v[0]
		}
	case string:
		if n, err := strconv.ParseInt(v, 10, 64); err == nil && strconv.FormatInt(n, 10) == v {
			return n
		}
		if v == "true" || v == "false" {
			return v == "true"
		}
	}
	return value
}
