package scalar

import (
	"encoding"
	"encoding/base64"
	"errors"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

func setString(v reflect.Value, text string) error {
	if !utf8.ValidString(text) {
		return &Error{Problem: "want UTF-8 text, have " + Quote(text)}
	}
	v.SetString(text)
	return nil
}

func setBool(v reflect.Value, text string) error {
	b, err := strconv.ParseBool(text)
	if err != nil {
		return &Error{Problem: "want true or false, have " + Quote(text), Err: err}
	}
	v.SetBool(b)
	return nil
}

func intSetter(bits int) Setter {
	return func(v reflect.Value, text string) error {
		n, err := strconv.ParseInt(text, 10, bits)
		if err != nil {
			low, high := int64(math.MinInt64)>>(64-bits), int64(math.MaxInt64)>>(64-bits)
			return integerError(text, strconv.FormatInt(low, 10), strconv.FormatInt(high, 10), err)
		}
		v.SetInt(n)
		return nil
	}
}

func uintSetter(bits int) Setter {
	return func(v reflect.Value, text string) error {
		n, err := strconv.ParseUint(text, 10, bits)
		if err != nil {
			return integerError(text, "0", strconv.FormatUint(math.MaxUint64>>(64-bits), 10), err)
		}
		v.SetUint(n)
		return nil
	}
}

func integerError(text, low, high string, err error) error {
	if !isInteger(text) {
		return &Error{Problem: "want an integer, have " + Quote(text), Err: err}
	}
	return &Error{Problem: "want an integer from " + low + " to " + high + ", have " + cut(text), Err: err}
}

func isInteger(text string) bool {
	digits := strings.TrimLeft(text, "+-")
	return digits != "" && len(text)-len(digits) <= 1 && strings.Trim(digits, "0123456789") == ""
}

// floatSetter leaves out the hexadecimal numbers, NaN and infinities that strconv reads, as JSON does.
func floatSetter(bits int) Setter {
	return func(v reflect.Value, text string) error {
		f, err := strconv.ParseFloat(text, bits)
		switch {
		case errors.Is(err, strconv.ErrRange):
			return &Error{Problem: "want a number that fits in " + strconv.Itoa(bits) + " bits, have " + cut(text), Err: err}
		case err != nil || strings.Trim(text, "0123456789+-.eE") != "":
			return &Error{Problem: "want a number, have " + Quote(text), Err: err}
		}
		v.SetFloat(f)
		return nil
	}
}

func setTime(v reflect.Value, text string) error {
	var t time.Time
	if err := t.UnmarshalText([]byte(text)); err != nil {
		return &Error{Problem: "want a time as of RFC 3339, have " + Quote(text), Err: err}
	}
	v.Set(reflect.ValueOf(t))
	return nil
}

func setDuration(v reflect.Value, text string) error {
	d, err := time.ParseDuration(text)
	if err != nil {
		return &Error{Problem: "want a duration such as 1.5s, have " + Quote(text), Err: err}
	}
	v.SetInt(int64(d))
	return nil
}

var toStandard = strings.NewReplacer("-", "+", "_", "/")

func setBytes(v reflect.Value, text string) error {
	b, err := base64.RawStdEncoding.DecodeString(toStandard.Replace(strings.TrimRight(text, "=")))
	if err != nil {
		return &Error{Problem: "want base64, have " + Quote(text), Err: err}
	}
	v.SetBytes(b)
	return nil
}

// setText shows nothing of the error of UnmarshalText, which was written for programmers.
func setText(v reflect.Value, text string) error {
	u, _ := reflect.TypeAssert[encoding.TextUnmarshaler](v.Addr()) // setter looked
	if err := u.UnmarshalText([]byte(text)); err != nil {
		return &Error{Problem: "not a valid value: " + Quote(text), Err: err}
	}
	return nil
}
