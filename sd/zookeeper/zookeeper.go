// Package zookeeper finds and announces the instances of services in ZooKeeper.
//
// An instance is an ephemeral node, /ashlar/services/<service>/<ID>, whose data are the instance as JSON. It goes with the session of the
// connection. docs/sd-zookeeper.md has more.
package zookeeper
