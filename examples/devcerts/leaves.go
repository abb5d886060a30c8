package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/ashlar-go/ashlar/internal/pki"
	tlsconfig "github.com/ashlar-go/ashlar/transport/tls"
)

// leaf is a certificate to make, and the files it goes to, name.pem and name-key.pem.
type leaf struct {
	name string
	pki.Leaf
}

const authorityName = "ca"

// leaves returns what to make.
func (o *options) leaves() ([]leaf, error) {
	hosts, err := o.hostList()
	if err != nil {
		return nil, err
	}
	end := time.Now().Add(o.valid)
	if len(o.ids) == 0 {
		l := leaf{name: o.name, Leaf: pki.Leaf{Name: o.name, Hosts: hosts, NotAfter: end}}
		return []leaf{l}, checkName("-name", o.name)
	}
	var all []leaf
	used := make(map[string]string)
	for _, text := range o.ids {
		id, err := tlsconfig.ParseSPIFFEID(text)
		if err != nil {
			return nil, fmt.Errorf("-spiffe: %w", err)
		}
		name := strings.ReplaceAll(strings.TrimPrefix(id.Path(), "/"), "/", "-")
		if err := checkName("-spiffe "+text, name); err != nil {
			return nil, err
		}
		file := strings.ToLower(name) // as some file systems do
		if other, ok := used[file]; ok {
			return nil, fmt.Errorf("-spiffe: %s and %s would go to the same files", other, text)
		}
		used[file] = text
		all = append(all, leaf{name: name, Leaf: pki.Leaf{Name: name, Hosts: hosts, URIs: []string{text}, NotAfter: end}})
	}
	return all, nil
}

// checkName refuses names whose files would be elsewhere, or those of the authority, also where the file system takes "CA" for "ca".
func checkName(what, name string) error {
	authority := strings.EqualFold(name, authorityName) || strings.HasSuffix(strings.ToLower(name), "-key")
	if name == "" || authority || strings.HasPrefix(name, ".") || strings.ContainsAny(name, `/\`) {
		return fmt.Errorf("%s: %q is no name for files", what, name)
	}
	return nil
}
