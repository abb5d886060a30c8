package mdns

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/ashlar-go/ashlar/sd"
)

const (
	maxAttribute = 255  // bytes of one key and value (RFC 6763, section 6.1)
	maxText      = 1300 // bytes of all of them (RFC 6763, section 6.2)

	keyFormat    = "ashlar" // its value is the number of the form that follows
	keyRevision  = "rev"    // of two that are announced under one name the higher counts
	keyService   = "service"
	keyID        = "id"
	keyAddress   = "address"
	keyWeight    = "weight"
	keyZone      = "zone"
	keyVersion   = "version"
	tagPrefix    = "tag:"
	metaPrefix   = "meta:"
	formatNumber = "1"
)

// encode returns an instance as the attributes of a TXT record (RFC 6763, section 6). Its ID is left out when the label has the whole of
// it.
func encode(service string, i sd.Instance, labelled bool, revision uint64) ([]string, error) {
	text := []string{
		keyFormat + "=" + formatNumber,
		keyRevision + "=" + strconv.FormatUint(revision, 36),
		keyService + "=" + service,
		keyAddress + "=" + i.Address,
	}
	if !labelled {
		text = append(text, keyID+"="+i.ID)
	}
	if i.Weight != 0 {
		text = append(text, keyWeight+"="+strconv.Itoa(i.Weight))
	}
	if i.Zone != "" {
		text = append(text, keyZone+"="+i.Zone)
	}
	if i.Version != "" {
		text = append(text, keyVersion+"="+i.Version)
	}
	for _, tag := range i.Tags {
		text = append(text, tagPrefix+escapeKey(tag))
	}
	for _, key := range slices.Sorted(maps.Keys(i.Metadata)) {
		text = append(text, metaPrefix+escapeKey(key)+"="+i.Metadata[key])
	}
	size := 0
	for _, attribute := range text {
		if len(attribute) > maxAttribute {
			name, _, _ := strings.Cut(attribute, "=")
			return nil, fmt.Errorf("%q takes %d bytes in a TXT record, and at most %d fit", name, len(attribute), maxAttribute)
		}
		size += 1 + len(attribute)
	}
	if size > maxText {
		return nil, fmt.Errorf("the instance takes %d bytes in a TXT record, and at most %d fit", size, maxText)
	}
	return text, nil
}

// attributes is what a TXT record says.
type attributes struct {
	ashlar   bool // it is as encode makes it
	revision uint64
	service  string
	instance sd.Instance // without an ID that the label has
	weight   string      // as it was written
}

// decode reads a TXT record. Of an instance that others announce all attributes are metadata.
func decode(text []string) (a attributes) {
	a.ashlar = slices.Contains(text, keyFormat+"="+formatNumber)
	seen := make(map[string]bool, len(text))
	for _, attribute := range text {
		key, value, valued := strings.Cut(attribute, "=")
		if key == "" || seen[key] {
			continue // of a key that comes twice the first counts
		}
		seen[key] = true
		switch {
		case a.ashlar:
			a.put(key, value)
		case valued:
			a.meta(key, value)
		default:
			a.instance.Tags = append(a.instance.Tags, key)
		}
	}
	return a
}

func (a *attributes) put(key, value string) {
	switch key {
	case keyRevision:
		a.revision, _ = strconv.ParseUint(value, 36, 64) // 0 gives way to all others
	case keyService:
		a.service = value
	case keyID:
		a.instance.ID = value
	case keyAddress:
		a.instance.Address = value
	case keyWeight:
		a.weight = value
	case keyZone:
		a.instance.Zone = value
	case keyVersion:
		a.instance.Version = value
	default:
		if tag, ok := strings.CutPrefix(key, tagPrefix); ok {
			a.instance.Tags = append(a.instance.Tags, unescapeKey(tag))
		} else if meta, ok := strings.CutPrefix(key, metaPrefix); ok {
			a.meta(unescapeKey(meta), value)
		}
	}
}

func (a *attributes) meta(key, value string) {
	if a.instance.Metadata == nil {
		a.instance.Metadata = make(map[string]string)
	}
	a.instance.Metadata[key] = value
}

// escapeKey returns a text in the characters of a key, which are those of ASCII that are seen, and the space, without "=".
func escapeKey(text string) string {
	var b strings.Builder
	for _, c := range []byte(text) {
		if c < ' ' || c > '~' || c == '=' || c == '%' {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// unescapeKey undoes escapeKey. What is not escaped as there stays as it is.
func unescapeKey(text string) string {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] == '%' && i+2 < len(text) {
			if c, err := strconv.ParseUint(text[i+1:i+3], 16, 8); err == nil {
				b.WriteByte(byte(c))
				i += 2
				continue
			}
		}
		b.WriteByte(text[i])
	}
	return b.String()
}
