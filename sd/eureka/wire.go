package eureka

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

const (
	up         = "UP"                                                     // the status of an instance that is to be called
	ownClass   = "com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo" // of a data center that is not Amazon's
	classKey   = "@class"                                                 // which maps have beside their keys
	portIfNone = 7001                                                     // Eureka's own default
	securePort = 7002                                                     // the same
	enabled    = "true"
	disabled   = "false"
)

// info is an instance as Eureka has it. The names are Eureka's.
type info struct {
	ID         string            `json:"instanceId"`
	Host       string            `json:"hostName"`
	App        string            `json:"app"`
	IP         string            `json:"ipAddr"`
	VIP        string            `json:"vipAddress"`
	Status     string            `json:"status"`
	Port       port              `json:"port"`
	SecurePort port              `json:"securePort"`
	DataCenter dataCenter        `json:"dataCenterInfo"`
	Lease      lease             `json:"leaseInfo"`
	Metadata   map[string]string `json:"metadata"`
	Dirty      string            `json:"lastDirtyTimestamp"`
}

type port struct {
	Number  int    `json:"$"`
	Enabled string `json:"@enabled"`
}

type dataCenter struct {
	Class string `json:"@class"`
	Name  string `json:"name"`
}

type lease struct {
	Renewal  int `json:"renewalIntervalInSecs"`
	Duration int `json:"durationInSecs"`
}

// read is an instance as it is read. Servers write texts that look like numbers as numbers or as texts, depending on their age.
type read struct {
	ID         text     `json:"instanceId"`
	Host       text     `json:"hostName"`
	IP         text     `json:"ipAddr"`
	Status     text     `json:"status"`
	Port       readPort `json:"port"`
	SecurePort readPort `json:"securePort"`
	Metadata   texts    `json:"metadata"`
	Dirty      text     `json:"lastDirtyTimestamp"`
}

type readPort struct {
	Number  text `json:"$"`
	Enabled text `json:"@enabled"`
}

// number returns the port, or 0 when it is none or not enabled.
func (p readPort) number() int {
	n, err := strconv.Atoi(string(p.Number))
	if err != nil || !strings.EqualFold(string(p.Enabled), enabled) {
		return 0
	}
	return n
}

// text is a text that may be written as a number or a boolean.
type text string

// UnmarshalJSON implements json.Unmarshaler.
func (t *text) UnmarshalJSON(data []byte) error {
	switch {
	case len(data) == 0 || data[0] == '{' || data[0] == '[':
		return fmt.Errorf("want a text, have %s", begin(data))
	case data[0] == '"':
		return json.Unmarshal(data, (*string)(t))
	case string(data) == "null":
		*t = ""
		return nil
	}
	*t = text(data)
	return nil
}

// texts is a map of texts. One that is empty may be written as a text.
type texts map[string]text

// UnmarshalJSON implements json.Unmarshaler.
func (m *texts) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '"' {
		*m = nil
		return nil
	}
	var values map[string]text
	if err := json.Unmarshal(data, &values); err != nil {
		return err
	}
	delete(values, classKey)
	*m = values
	return nil
}

// list is an array that is written without brackets when it has one element.
type list []json.RawMessage

// UnmarshalJSON implements json.Unmarshaler.
func (l *list) UnmarshalJSON(data []byte) error {
	if data = bytes.TrimSpace(data); len(data) > 0 && data[0] == '{' {
		*l = list{bytes.Clone(data)}
		return nil
	}
	return json.Unmarshal(data, (*[]json.RawMessage)(l))
}

// decodeApplication returns the instances of an application, each as it is written.
func decodeApplication(body []byte) (list, error) {
	var envelope struct {
		Application *struct {
			Instances list `json:"instance"`
		} `json:"application"`
	}
	if err := json.Unmarshal(body, &envelope); err != nil {
		return nil, fmt.Errorf("the answer %s is no application: %w", begin(body), err)
	}
	if envelope.Application == nil {
		return nil, fmt.Errorf("the answer %s is no application", begin(body))
	}
	return envelope.Application.Instances, nil
}

// holder is who has an ID.
type holder struct {
	once  string
	stamp int64
}

func decodeHolder(body []byte) (*holder, error) {
	var envelope struct {
		Instance *read `json:"instance"`
	}
	if err := json.Unmarshal(body, &envelope); err != nil {
		return nil, fmt.Errorf("the answer %s is no instance: %w", begin(body), err)
	}
	if envelope.Instance == nil {
		return nil, errors.New("the answer is no instance")
	}
	stamp, _ := strconv.ParseInt(string(envelope.Instance.Dirty), 10, 64) // 0 is older than all
	return &holder{once: string(envelope.Instance.Metadata[onceKey]), stamp: stamp}, nil
}
