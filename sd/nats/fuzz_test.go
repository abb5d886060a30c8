package natsdiscovery_test

import (
	"testing"

	"github.com/ashlar-go/ashlar/sd/nats"
)

func FuzzAnswer(f *testing.F) {
	f.Add([]byte(`{"name":"orders","id":"m1","version":"1.0.0","metadata":{"ashlar.address":"a:1","ashlar.tags":"[\"x\"]","ashlar.weight":"3"},"type":"io.nats.micro.v1.info_response"}`))
	f.Add([]byte(`{"name":"orders","id":"m1","type":"io.nats.micro.v1.info_response","endpoints":[{"name":"add","subject":"a.b.add","metadata":{"ashlar.operation":"b/add"}}]}`))
	f.Add([]byte(`{"name":"orders","id":"m1","type":"ashlar.sd.v1.gone"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		set, invalid := natsdiscovery.Answer(service, data)
		if len(set)+len(invalid) > 1 {
			t.Errorf("want one at most, have %v and %v", set, invalid)
		}
		for _, i := range set {
			if err := i.Check(); err != nil {
				t.Errorf("%v: %v", i, err)
			}
		}
	})
}
