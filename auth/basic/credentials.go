package basicauth

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/ashlar-go/ashlar/auth"
)

// maxUser is the most bytes of the name of a user.
const maxUser = 256

// decode reads what follows the scheme: the user and the password, as RFC 7617, section 2, has them. Nothing of it is in the error.
func decode(token string) (user, password string, err error) {
	if len(token) > base64.StdEncoding.EncodedLen(maxUser+1+MaxPassword) {
		return "", "", errors.New("the credentials are too long")
	}
	text, err := base64.StdEncoding.Strict().DecodeString(token)
	if err != nil {
		return "", "", errors.New("the credentials are no base64")
	}
	user, password, ok := strings.Cut(string(text), ":")
	if !ok {
		return "", "", errors.New("the credentials have no colon")
	}
	if err := checkUser(user); err != nil {
		return "", "", err
	}
	return user, password, checkPassword(password)
}

func checkUser(user string) error {
	switch {
	case user == "":
		return errors.New("the user is empty")
	case len(user) > maxUser:
		return fmt.Errorf("the user has more than %d bytes", maxUser)
	case strings.Contains(user, ":"):
		return errors.New("the user has a colon")
	}
	return checkText("user", user)
}

func checkPassword(password string) error {
	if len(password) > MaxPassword {
		return fmt.Errorf("the password has more than %d bytes", MaxPassword)
	}
	return checkText("password", password)
}

func checkText(name, text string) error {
	if !utf8.ValidString(text) {
		return errors.New("the " + name + " is no UTF-8")
	}
	if strings.ContainsFunc(text, unicode.IsControl) {
		return errors.New("the " + name + " has a control character")
	}
	return nil
}

// NewSource returns the Source of a user and password that never change, for auth.NewCredentials. It fails for those that cannot be sent.
func NewSource(user, password string) (auth.Source, error) {
	err := checkUser(user)
	if err == nil {
		err = checkPassword(password)
	}
	if err == nil && password == "" {
		err = errors.New("the password is empty")
	}
	if err != nil {
		return nil, fmt.Errorf("basicauth: NewSource: %w", err)
	}
	c := auth.Credential{Value: "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))}
	return auth.SourceFunc(func(context.Context) (auth.Credential, error) { return c, nil }), nil
}
