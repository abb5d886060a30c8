package main

import (
	"fmt"
	"io"

	"github.com/ashlar-go/ashlar/examples/shop/accounts"
)

// welcome says how to call the shop.
func (s *shop) welcome(out io.Writer) {
	var curl, grpcurl, nats string
	grpcurl = " -plaintext"
	if c := s.certificates; c != nil {
		curl = " --cacert " + c.path("ca")
		own := " -cert " + c.path(operatorID) + " -key " + c.path(operatorID+"-key")
		grpcurl = " -cacert " + c.path("ca") + own
		nats = " --tlsca " + c.path("ca") + " --tlscert " + c.path(operatorID) + " --tlskey " + c.path(operatorID+"-key")
	}
	fmt.Fprintf(out, welcomeText, s.url, s.orders, s.broker, curl, grpcurl, nats,
		accounts.ACustomer, accounts.CustomerPassword, accounts.AStaffMember, accounts.StaffPassword)
}

const welcomeText = `The shop is open. Try:
  curl%[4]s '%[1]s/products?category=stone&limit=3'
  curl%[4]s %[1]s/products/CHI-1001
  token() { curl%[4]s -s -u $1 -X POST %[1]s/login | sed 's/.*"token":"\([^"]*\).*/\1/'; }
  curl%[4]s -H "Authorization: Bearer $(token %[7]s:%[8]s)" -H 'Content-Type: application/json' \
    -d '{"lines":[{"sku":"CHI-1001","count":2}]}' %[1]s/orders
  curl%[4]s -N -H "Authorization: Bearer $(token %[9]s:%[10]s)" -H 'Accept: text/event-stream' %[1]s/orders/feed
and, where these programs are installed:
  grpcurl%[5]s %[2]s list
  grpcurl%[5]s -H "Authorization: Bearer $(token %[9]s:%[10]s)" %[2]s shop.v1.Orders/Feed
  nats -s %[3]s%[6]s micro info payments
Ctrl-C closes it.
`
