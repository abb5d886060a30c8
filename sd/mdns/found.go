package mdns

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ashlar-go/ashlar/sd"
)

// found returns the instances of which all is known, and those that are none.
func (c *cache) found(now time.Time) (set []sd.Instance, invalid []*sd.InvalidError) {
	for _, label := range slices.Sorted(maps.Keys(c.instances)) { // so that of two with one address the same remains
		i := c.instances[label]
		if !i.ptr.live(now) || !i.txt.live(now) {
			continue
		}
		instance, ok, err := c.instanceOf(i, now)
		if err == nil && ok {
			err = instance.Check()
		}
		switch {
		case err != nil:
			invalid = append(invalid, &sd.InvalidError{Entry: i.label + "." + c.typ, Err: err})
		case ok:
			set = append(set, instance)
		}
	}
	if c.full {
		err := fmt.Errorf("there are more than %d instances; the others are left out", maxInstances)
		invalid = append(invalid, &sd.InvalidError{Entry: c.typ, Err: err})
	}
	return set, invalid
}

// instanceOf returns what was heard as an instance. It is not ok when it is of another service, or something is not known yet.
func (c *cache) instanceOf(i *heard, now time.Time) (instance sd.Instance, ok bool, err error) {
	a := &i.says
	instance = a.instance
	if instance.ID == "" {
		instance.ID = idOf(i.label)
	}
	if a.ashlar {
		if a.weight != "" {
			if instance.Weight, err = strconv.Atoi(a.weight); err != nil {
				return instance, false, fmt.Errorf("the weight is %q, want a number", a.weight)
			}
		}
		return instance, a.service == c.service, nil
	}
	host := c.hosts[strings.ToLower(i.target)]
	if !c.own || !i.srv.live(now) || host == nil {
		return instance, false, nil
	}
	if i.port == 0 {
		return instance, false, errors.New("it has no port")
	}
	best := slices.MinFunc(host.addresses, compareAddresses)
	ip := best.ip
	if ip.Is6() && ip.IsLinkLocalUnicast() {
		ip = ip.WithZone(best.zone)
	}
	instance.Address = net.JoinHostPort(ip.String(), strconv.Itoa(int(i.port)))
	instance.Weight = int(i.weight)
	return instance, true, nil
}
