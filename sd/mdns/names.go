package mdns

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"golang.org/x/net/dns/dnsmessage"
)

const (
	domain      = "local."
	enumeration = "_services._dns-sd._udp." + domain // whose PTR records are the types that there are (RFC 6763, section 9)
	nowhere     = "none.invalid."                    // the host of an instance whose address names none

	maxLabel   = 63  // bytes (RFC 1035)
	maxType    = 15  // bytes, without the underscore (RFC 6335, section 5.1)
	typePrefix = 7   // bytes of a service's name that remain in a type that is made of it
	maxName    = 254 // bytes, with the dot at the end
)

// typeOf returns the name under which the instances of a service are found. It is the service's own name where that may be one,
// as of "orders" it is "_orders._tcp.local."; else it is made of the name's beginning and its hash, so that two services never share a
// type but for a coincidence, which the text of an instance shows.
func typeOf(service string) (name string, own bool) {
	label := service
	if own = isType(service); !own {
		sum := sha256.Sum256([]byte(service))
		hash := strings.ToLower(base32.StdEncoding.EncodeToString(sum[:5]))
		label = plain(service) + "-" + hash[:maxType-typePrefix-1]
	}
	return "_" + label + "._tcp." + domain, own
}

// isType says whether a name may be that of a type as it is (RFC 6335, section 5.1). Types are the same in both cases, and names of
// services are not, so that one with capitals may not.
func isType(name string) bool {
	return len(name) <= maxType && strings.ContainsFunc(name, func(r rune) bool { return r >= 'a' && r <= 'z' }) && plainAll(name) == name
}

// plain returns the beginning of a name in the characters that a type may have.
func plain(name string) string {
	text := plainAll(name)
	text = strings.TrimRight(text[:min(len(text), typePrefix)], "-")
	if text == "" {
		return "s"
	}
	return text
}

// plainAll returns the name in small letters and digits, with single hyphens between them for whatever else is in it.
func plainAll(name string) string {
	fields := strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') })
	return strings.Join(fields, "-")
}

// labelOf returns an ID as the label of an instance, in which dots would not survive. One that does not fit is cut, and has its hash at
// the end; then it is not whole.
func labelOf(id string) (label string, whole bool) {
	label = strings.NewReplacer("%", "%25", ".", "%2E").Replace(id)
	if len(label) <= maxLabel {
		return label, true
	}
	sum := sha256.Sum256([]byte(id))
	hash := "~" + hex.EncodeToString(sum[:8])
	return strings.ToValidUTF8(label[:maxLabel-len(hash)], "") + hash, false
}

// idOf returns the ID of a label.
func idOf(label string) string {
	return strings.NewReplacer("%25", "%", "%2E", ".").Replace(label)
}

// cutType returns the label of an instance of the type, whose name is given in either case.
func cutType(name, typ string) (label string, ok bool) {
	at := len(name) - len(typ) - 1
	if at < 1 || name[at] != '.' || !strings.EqualFold(name[at+1:], typ) {
		return "", false
	}
	return name[:at], true
}

// place is where an instance is called, as far as DNS can say it.
type place struct {
	host     string // a name of DNS
	port     uint16
	ip       netip.Addr // of the host, where that is named by it
	loopback bool       // nobody on another machine can call it
}

// placeOf returns the place of an address. One that is no host and port has none: only those who use this package can call it.
func placeOf(address string) (place, error) {
	host, port, ok := split(address)
	if !ok {
		return place{host: nowhere}, nil
	}
	p := place{host: nowhere, port: port, loopback: strings.EqualFold(strings.TrimSuffix(host, "."), "localhost")}
	if ip, err := netip.ParseAddr(host); err == nil {
		p.ip = ip.Unmap().WithZone("")
		p.host, p.loopback = hostOf(p.ip), p.ip.IsLoopback()
	} else if name := strings.TrimSuffix(host, ".") + "."; isHost(name) {
		p.host = name
	}
	if host == "" || p.ip.IsValid() && p.ip.IsUnspecified() {
		return p, fmt.Errorf("the address %q names no host that others can call", address)
	}
	return p, nil
}

func split(address string) (host string, port uint16, ok bool) {
	host, service, err := net.SplitHostPort(address)
	n, numErr := strconv.ParseUint(service, 10, 16)
	return host, uint16(n), err == nil && numErr == nil
}

// hostOf returns a name for a host of that address. All who announce the address say the same of the name, so that there is no conflict.
func hostOf(ip netip.Addr) string {
	if ip.Is4() {
		return "ip-" + strings.ReplaceAll(ip.String(), ".", "-") + "." + domain
	}
	bytes := ip.As16()
	return "ip-" + hex.EncodeToString(bytes[:]) + "." + domain
}

func isHost(name string) bool {
	for label := range strings.SplitSeq(strings.TrimSuffix(name, "."), ".") {
		if label == "" || len(label) > maxLabel {
			return false
		}
	}
	return len(name) <= maxName
}

// nameOf returns a name for a message. It was checked to be one.
func nameOf(text string) dnsmessage.Name {
	name, err := dnsmessage.NewName(text)
	if err != nil {
		return dnsmessage.MustNewName(nowhere)
	}
	return name
}
