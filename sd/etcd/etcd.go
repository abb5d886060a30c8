// Package etcd finds and announces the instances of services in etcd, by version 3 of its API.
//
// An instance is a key, ashlar/services/<service>/<ID>, whose value is the instance as JSON. It hangs on a lease, so that it goes when its
// process does. docs/sd-etcd.md has more.
package etcd
