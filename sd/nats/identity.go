package natsdiscovery

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go/micro"

	"github.com/ashlar-go/ashlar/sd"
)

// describe returns the instance as the metadata of a micro service. It fails for metadata that take a key that is not theirs.
func describe(instance sd.Instance, since time.Time) (map[string]string, error) {
	all := make(map[string]string, len(instance.Metadata))
	for key, value := range instance.Metadata {
		if strings.HasPrefix(key, KeyPrefix) {
			return nil, fmt.Errorf("the key %q of metadata begins with %s, which stands for other fields", key, KeyPrefix)
		}
		all[key] = value
	}
	all[KeyAddress], all[KeyID], all[KeyVersion] = instance.Address, instance.ID, instance.Version
	all[KeySince] = since.UTC().Format(time.RFC3339Nano)
	if instance.Weight != 0 {
		all[KeyWeight] = strconv.Itoa(instance.Weight)
	}
	if instance.Zone != "" {
		all[KeyZone] = instance.Zone
	}
	if len(instance.Tags) > 0 {
		text, err := json.Marshal(instance.Tags)
		if err != nil {
			return nil, err
		}
		all[KeyTags] = string(text)
	}
	return all, nil
}

// plain is a version that NATS takes without a doubt: SemVer without anything after the three numbers.
var plain = regexp.MustCompile(`^(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*)){2}$`)

// microVersion returns what `nats micro ls` shows as the version, which must be SemVer.
func microVersion(version string) string {
	if version = strings.TrimPrefix(version, "v"); plain.MatchString(version) {
		return version
	}
	return "0.0.0"
}

// understand returns the instance that a micro service is, and since when it is announced.
func understand(info micro.Info) (instance sd.Instance, since time.Time, err error) {
	metadata := maps.Clone(info.Metadata)
	take := func(key, otherwise string) string {
		value, ok := metadata[key]
		delete(metadata, key)
		if !ok {
			return otherwise
		}
		return value
	}
	instance = sd.Instance{ID: take(KeyID, info.ID), Address: take(KeyAddress, "")}
	instance.Zone, instance.Version = take(KeyZone, ""), take(KeyVersion, info.Version)
	if text := take(KeyWeight, ""); text != "" {
		if instance.Weight, err = strconv.Atoi(text); err != nil {
			return instance, since, fmt.Errorf("%s is %q, want a number", KeyWeight, text)
		}
	}
	if text := take(KeyTags, ""); text != "" {
		if err := json.Unmarshal([]byte(text), &instance.Tags); err != nil {
			return instance, since, fmt.Errorf("%s is %q, want an array of texts in JSON: %w", KeyTags, text, err)
		}
	}
	if text := take(KeySince, ""); text != "" {
		if since, err = time.Parse(time.RFC3339Nano, text); err != nil {
			return instance, since, fmt.Errorf("%s is %q, want a time as RFC 3339 has it", KeySince, text)
		}
	}
	instance.Metadata = metadata
	if instance.Address == "" {
		if instance.Address, err = prefix(info.Endpoints); err != nil {
			return instance, since, err
		}
	}
	return instance, since, instance.Check()
}

// keyOperation is the key of an endpoint's metadata under which natstransport has the operation, as in payments/Charge.
const keyOperation = KeyPrefix + "operation"

// prefix returns what the subjects of the endpoints begin with, before the operation.
func prefix(endpoints []micro.EndpointInfo) (found string, err error) {
	for _, e := range endpoints {
		name := strings.ReplaceAll(e.Metadata[keyOperation], "/", ".")
		if name == "" {
			name = e.Name
		}
		own, ok := strings.CutSuffix(e.Subject, "."+name)
		if !ok || own == "" {
			continue // all instances share it
		}
		if found != "" && found != own {
			return "", fmt.Errorf("it has no %s, and its endpoints have the prefixes %s and %s", KeyAddress, found, own)
		}
		found = own
	}
	if found == "" {
		return "", errors.New("it has no " + KeyAddress + ", and no endpoint of its own, as by natstransport.ServerPrefix")
	}
	return found, nil
}
