package zookeeper

import (
	"context"
	"errors"
	"fmt"

	"github.com/go-zookeeper/zk"

	"github.com/ashlar-go/ashlar/internal/option"
	"github.com/ashlar-go/ashlar/sd"
	"github.com/ashlar-go/ashlar/sd/internal/driver"
)

// Registrar announces instances of a service in ZooKeeper. It is safe for concurrent use.
type Registrar struct {
	conn   *zk.Conn
	path   string // of the node of the service
	acl    []zk.ACL
	report []func(error)
}

// NewRegistrar returns a Registrar of the service, whose name is visible ASCII without any of /\*>?#%". The connection remains the
// caller's, who closes it after the last instance was deregistered. Nobody needs to take the events of its session.
func NewRegistrar(conn *zk.Conn, service string, opts ...RegistrarOption) (*Registrar, error) {
	c := registrarConfig{prefix: DefaultPrefix}
	err := option.Set(&c, opts)
	path, wrong := servicePath(conn, c.prefix, service)
	if err = errors.Join(err, wrong); err != nil {
		return nil, fmt.Errorf("zookeeper: NewRegistrar: %w", err)
	}
	if len(c.acl) == 0 {
		c.acl = zk.WorldACL(zk.PermAll)
	}
	return &Registrar{conn: conn, path: path, acl: c.acl, report: c.report}, nil
}

// Register implements sd.Registrar. The node of the instance goes with the session of the connection, and is made again in the next.
func (r *Registrar) Register(ctx context.Context, instance sd.Instance) (deregister func(ctx context.Context) error, err error) {
	instance, err = driver.Check(instance)
	if err != nil {
		return nil, err
	}
	data, err := driver.Marshal(instance)
	if err != nil {
		return nil, err
	}
	return driver.Register(ctx, &registration{
		conn: r.conn, path: r.path + "/" + driver.Key(instance.ID), data: data, acl: r.acl, slots: make(slots, 1),
	}, r.report)
}
