package eureka

import (
	"cmp"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/ashlar-go/ashlar/sd"
	"github.com/ashlar-go/ashlar/sd/internal/driver"
)

// The keys of metadata that hold what Eureka has no field for. Those that begin with own are of this package.
const (
	zoneKey     = "zone" // as Spring has it
	versionKey  = "version"
	own         = "ashlar."
	idKey       = own + "id" // where it is not the instance's ID for Eureka
	addressKey  = own + "address"
	weightKey   = own + "weight"
	tagsKey     = own + "tags"
	metadataKey = own + "metadata"     // what Eureka's XML cannot have as it is
	onceKey     = own + "registration" // what tells one registration from another of the same ID
)

// encode returns the instance as Eureka has it, but for its lease and time stamp.
func encode(service string, instance sd.Instance) (*info, error) {
	if _, err := driver.Marshal(instance); err != nil {
		return nil, err
	}
	i := &info{
		ID: escape(instance.ID), App: strings.ToUpper(service), VIP: service, Status: up,
		Host: instance.Address, Port: port{portIfNone, disabled}, SecurePort: port{securePort, disabled},
		DataCenter: dataCenter{ownClass, "MyOwn"},
		Metadata:   map[string]string{onceKey: rand.Text()},
	}
	if host, number := split(instance.Address); number > 0 {
		i.Host, i.Port = host, port{number, enabled}
	} else {
		i.Metadata[addressKey] = instance.Address
	}
	i.IP = i.Host // which older servers want, and nobody looks up
	texts := map[string]string{zoneKey: instance.Zone, versionKey: instance.Version}
	if i.ID != instance.ID {
		texts[idKey] = instance.ID
	}
	if instance.Weight > 0 {
		texts[weightKey] = strconv.Itoa(instance.Weight)
	}
	for key, value := range texts {
		if value != "" {
			i.Metadata[key] = value
		}
	}
	return i, i.addCollections(instance)
}

// addCollections adds the tags and the metadata.
func (i *info) addCollections(instance sd.Instance) error {
	odd := make(map[string]string)
	for key, value := range instance.Metadata {
		if isPlain(key, value) {
			i.Metadata[key] = value
		} else {
			odd[key] = value
		}
	}
	for key, collection := range map[string]any{tagsKey: instance.Tags, metadataKey: odd} {
		data, err := json.Marshal(collection)
		if err != nil {
			return err
		}
		if len(data) > len("[]") && string(data) != "null" {
			i.Metadata[key] = string(data)
		}
	}
	return nil
}

// elements are the names of elements of XML that are of ASCII.
var elements = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9._-]*$`)

// isPlain says whether a pair of metadata is stored as it is. In the XML that servers give to others the key is the name of an element.
func isPlain(key, value string) bool {
	invalid := func(r rune) bool {
		return r < ' ' && r != '\t' && r != '\n' || r == utf8.RuneError || r == 0xfffe || r == 0xffff
	}
	return elements.MatchString(key) && key != zoneKey && key != versionKey &&
		!strings.HasPrefix(key, own) && !strings.HasPrefix(strings.ToLower(key), "xml") && !strings.ContainsFunc(value, invalid)
}

// escape returns an ID that servers and what stands before them take as one element of a path, whatever is in it. Some refuse an
// escaped slash or percent sign there.
func escape(id string) string {
	dots := strings.Trim(id, ".") == ""
	var b strings.Builder
	for _, c := range []byte(id) {
		plain := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-_:@[]", c) >= 0
		if plain || c == '.' && !dots {
			b.WriteByte(c)
			continue
		}
		fmt.Fprintf(&b, "~%02X", c)
	}
	return b.String()
}

// split returns the host and the port of an address, or a port of 0 when it has none that is a number.
func split(address string) (host string, number int) {
	host, text, err := net.SplitHostPort(address)
	if err != nil || host == "" {
		return "", 0
	}
	number, _ = strconv.Atoi(text)
	const maxPort = 65535
	if number < 1 || number > maxPort || net.JoinHostPort(host, strconv.Itoa(number)) != address {
		return "", 0
	}
	return host, number
}

// registry is what a server says of an application.
type registry struct {
	set     []sd.Instance      // those that are UP
	out     []string           // the IDs of others
	invalid []*sd.InvalidError // what is no instance
}

// decode returns what the answer says of the application.
func decode(app string, body []byte) (registry, error) {
	raw, err := decodeApplication(body)
	if err != nil {
		return registry{}, err
	}
	var have registry
	for n, data := range raw {
		r, instance, err := decodeInstance(data)
		switch {
		case err != nil:
			have.invalid = append(have.invalid, &sd.InvalidError{Entry: app + "/" + cmp.Or(string(r.ID), "#"+strconv.Itoa(n)), Err: err})
		case r.Status != up:
			have.out = append(have.out, instance.ID)
		default:
			have.set = append(have.set, instance)
		}
	}
	return have, nil
}

// decodeInstance returns an instance as it is read, and as it is. One that is not UP need not be one.
func decodeInstance(data []byte) (r read, instance sd.Instance, err error) {
	if err := json.Unmarshal(data, &r); err != nil {
		return r, instance, err
	}
	instance, err = r.instance()
	if r.Status != up {
		return r, instance, nil
	}
	if err == nil {
		err = instance.Check()
	}
	return r, instance, err
}

func (r *read) instance() (sd.Instance, error) {
	m := r.Metadata
	i := sd.Instance{Address: r.address(), Zone: string(m[zoneKey]), Version: string(m[versionKey])}
	i.ID = cmp.Or(string(m[idKey]), string(r.ID), i.Address)
	for key, value := range m {
		if key == zoneKey || key == versionKey || strings.HasPrefix(key, own) {
			continue
		}
		if i.Metadata == nil {
			i.Metadata = make(map[string]string)
		}
		i.Metadata[key] = string(value)
	}
	if err := m.decode(metadataKey, &i.Metadata); err != nil {
		return i, err
	}
	if err := m.decode(tagsKey, &i.Tags); err != nil {
		return i, err
	}
	return i, m.decode(weightKey, &i.Weight)
}

// decode decodes the JSON under the key, where there is any.
func (m texts) decode(key string, into any) error {
	if m[key] == "" {
		return nil
	}
	if err := json.Unmarshal([]byte(m[key]), into); err != nil {
		return fmt.Errorf("the metadata %s: %w", key, err)
	}
	return nil
}

// address returns where the instance is called.
func (r *read) address() string {
	host := string(cmp.Or(r.Host, r.IP))
	number := cmp.Or(r.Port.number(), r.SecurePort.number())
	switch {
	case r.Metadata[addressKey] != "":
		return string(r.Metadata[addressKey])
	case host == "" || number == 0:
		return host
	}
	return net.JoinHostPort(host, strconv.Itoa(number))
}
