package accounts

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"slices"

	"github.com/ashlar-go/ashlar/auth"
	"github.com/ashlar-go/ashlar/transport"
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

// Passwords returns what knows people by their names and passwords.
func Passwords() (auth.Authenticator, error) {
	return auth.Func(func(_ context.Context, call *transport.Info) (*auth.Principal, error) {
		text, err := auth.Authorization(call, "Basic")
		if err != nil {
			return nil, &auth.ChallengeError{Challenge: `Basic realm="shop"`, Err: err}
		}
		is := func(name, password string) bool {
			return subtle.ConstantTimeCompare([]byte(text), []byte(base64.StdEncoding.EncodeToString([]byte(name+":"+password)))) == 1
		}
		if is(AStaffMember, StaffPassword) {
			return &auth.Principal{Subject: AStaffMember, Roles: []string{Staff}, Method: "basic"}, nil
		}
		if i := slices.IndexFunc(Customers(), func(name string) bool { return is(name, CustomerPassword) }); i >= 0 {
			return &auth.Principal{Subject: Customers()[i], Roles: []string{Customer}, Method: "basic"}, nil
		}
		return nil, &auth.ChallengeError{Challenge: `Basic realm="shop"`, Err: errors.New("no such name and password")}
	}), nil
}

// LogIn returns the credentials of somebody who logs in over conn, and again before the token expires.
func LogIn(conn *httptransport.Conn, user, password string) (*auth.Credentials, error) {
	value := "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
	proof, err := auth.NewCredentials(auth.SourceFunc(func(context.Context) (auth.Credential, error) {
		return auth.Credential{Value: value}, nil
	}))
	if err != nil {
		return nil, err
	}
	source, err := NewSource(conn, proof)
	if err != nil {
		return nil, err
	}
	return auth.NewCredentials(source)
}
