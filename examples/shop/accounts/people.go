package accounts

import (
	"context"
	"slices"

	"github.com/ashlar-go/ashlar/auth"
	basicauth "github.com/ashlar-go/ashlar/auth/basic"
	httptransport "github.com/ashlar-go/ashlar/transport/http"
)

// The people of the shop. All customers have the same password, so that they need not be told.
const (
	ACustomer        = "ada"
	CustomerPassword = "chisel"
	AStaffMember     = "mason"
	StaffPassword    = "ashlar"
)

// Customers returns the names of all.
func Customers() []string {
	return []string{
		ACustomer, "barbara", "donald", "edsger", "frances", "grace", "hedy", "jean", "john", "katherine", "leslie", "niklaus", "radia", "robin",
		"shafi", "tony",
	}
}

// Passwords returns what knows people by their names and passwords, of which it has hashes only.
func Passwords() (auth.Authenticator, error) {
	customer, err := basicauth.NewHash(CustomerPassword, basicauth.Default())
	if err != nil {
		return nil, err
	}
	staff, err := basicauth.NewHash(StaffPassword, basicauth.Default())
	if err != nil {
		return nil, err
	}
	return basicauth.New(func(_ context.Context, name string) (basicauth.User, error) {
		switch {
		case name == AStaffMember:
			return basicauth.User{Hash: staff, Principal: auth.Principal{Roles: []string{Staff}}}, nil
		case slices.Contains(Customers(), name):
			return basicauth.User{Hash: customer, Principal: auth.Principal{Roles: []string{Customer}}}, nil
		}
		return basicauth.User{}, basicauth.ErrUnknown
	}, basicauth.Realm(audience))
}

// LogIn returns the credentials of somebody who logs in over conn, and again before the token expires.
func LogIn(conn *httptransport.Conn, user, password string) (*auth.Credentials, error) {
	own, err := basicauth.NewSource(user, password)
	if err != nil {
		return nil, err
	}
	proof, err := auth.NewCredentials(own)
	if err != nil {
		return nil, err
	}
	source, err := NewSource(conn, proof)
	if err != nil {
		return nil, err
	}
	return auth.NewCredentials(source)
}
