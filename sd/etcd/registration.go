package etcd

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc"

	"github.com/ashlar-go/ashlar/sd"
)

// registration is the lease of one instance, and the key that hangs on it.
type registration struct {
	client     *clientv3.Client
	key, value string
	ttl        time.Duration

	lease    clientv3.LeaseID // clientv3.NoLease when there is none
	held     bool             // the key was there once
	replaced bool             // another registration has it, and that was said
}

// Hold implements driver.Registration.
func (r *registration) Hold(ctx context.Context, held func()) error {
	for {
		if err := r.live(ctx); err != nil {
			return r.lost(err)
		}
		if err := r.put(ctx); err != nil {
			return r.lost(err)
		}
		held()
		pause(ctx, r.ttl/renewals)
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

// renewals is how often a lease is renewed in its time.
const renewals = 3

// lost lets go of a lease that etcd does not know, so that there is a new one next.
func (r *registration) lost(err error) error {
	if errors.Is(err, rpctypes.ErrLeaseNotFound) {
		r.lease = clientv3.NoLease
		return fmt.Errorf("etcd: the lease of %q was lost: %w", r.key, err)
	}
	return failed(r.client, fmt.Sprintf("registering %q", r.key), err)
}

// live renews the lease, or makes one.
func (r *registration) live(ctx context.Context) error {
	if r.lease != clientv3.NoLease {
		const share = 2 * renewals // of its time, so that there is some left when two members have not answered
		limit := min(r.ttl/share, askLimit)
		_, err := ask(ctx, limit, limit, r.renew)
		return err
	}
	response, err := ask(ctx, askLimit, askLimit, func(ctx context.Context) (*clientv3.LeaseGrantResponse, error) {
		return r.client.Grant(ctx, int64(r.ttl/time.Second))
	})
	if err == nil {
		r.lease = response.ID
	}
	return err
}

// renew asks once, on a stream of its own: Client.KeepAlive has one stream for all leases, which may lead to a member that hangs, and
// Client.KeepAliveOnce asks without end, nor pause, while there is no connection.
func (r *registration) renew(ctx context.Context) (*etcdserverpb.LeaseKeepAliveResponse, error) {
	stream, err := clientv3.RetryLeaseClient(r.client).LeaseKeepAlive(ctx, grpc.WaitForReady(true))
	if err != nil {
		return nil, rpctypes.Error(err)
	}
	if err := stream.Send(&etcdserverpb.LeaseKeepAliveRequest{ID: int64(r.lease)}); err != nil {
		return nil, rpctypes.Error(err)
	}
	response, err := stream.Recv()
	if err == nil && response.GetTTL() <= 0 {
		return nil, rpctypes.ErrLeaseNotFound
	}
	return response, rpctypes.Error(err)
}

// put puts the key there. At first it replaces what is there; later what is there is what has replaced it.
func (r *registration) put(ctx context.Context) error {
	kv := clientv3.NewKV(r.client)
	put := clientv3.OpPut(r.key, r.value, clientv3.WithLease(r.lease))
	if !r.held {
		_, err := ask(ctx, askLimit, askLimit, func(ctx context.Context) (clientv3.OpResponse, error) { return kv.Do(ctx, put) })
		r.held = err == nil
		return err
	}
	response, err := ask(ctx, askLimit, askLimit, func(ctx context.Context) (*clientv3.GetResponse, error) {
		return kv.Get(ctx, r.key, clientv3.WithKeysOnly())
	})
	if err != nil {
		return err
	}
	before := r.replaced
	if r.replaced = len(response.Kvs) > 0 && response.Kvs[0].GetLease() != int64(r.lease); r.replaced && !before {
		return sd.ErrReplaced
	}
	if len(response.Kvs) > 0 {
		return nil
	}
	_, err = ask(ctx, askLimit, askLimit, func(ctx context.Context) (*clientv3.TxnResponse, error) {
		return kv.Txn(ctx).If(clientv3.Compare(clientv3.CreateRevision(r.key), "=", 0)).Then(put).Commit()
	})
	return err
}

// Remove implements driver.Registration. With the lease etcd removes the keys that hang on it, and a key that another registration has
// put since hangs on the lease of that.
func (r *registration) Remove(ctx context.Context) error {
	if r.lease == clientv3.NoLease {
		return nil
	}
	err := r.client.Ctx().Err() // when the client is closed, which would ask a hundred times all the same
	if err == nil {
		_, err = ask(ctx, askLimit, askLimit, func(ctx context.Context) (*clientv3.LeaseRevokeResponse, error) {
			return r.client.Revoke(ctx, r.lease)
		})
	}
	if err != nil && !errors.Is(err, rpctypes.ErrLeaseNotFound) {
		return failed(r.client, fmt.Sprintf("removing %q", r.key), err)
	}
	r.lease = clientv3.NoLease
	return nil
}
