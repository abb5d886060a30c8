package file_test

import (
	"strings"
	"testing"

	"github.com/ashlar-go/ashlar/sd"
	"github.com/ashlar-go/ashlar/sd/file"
)

func TestTheFile(t *testing.T) {
	t.Parallel()
	const text = `{
  "orders": [
    {"address": "10.0.0.1:8080"},
    {"id": "o-2", "address": "[2001:db8::1]:80", "weight": 2, "zone": "eu", "version": "v2", "tags": ["a", "b"], "metadata": {"k": "v"}}
  ],
  "catalog": [], "nil": null, "others": {"whatever": ["that is no", "list of instances"]}
}
`
	all := sd.Instance{
		ID: "o-2", Address: "[2001:db8::1]:80", Weight: 2, Zone: "eu", Version: "v2", Tags: []string{"a", "b"}, Metadata: map[string]string{"k": "v"},
	}
	for service, want := range map[string][]sd.Instance{
		"orders": {{Address: "10.0.0.1:8080"}, all}, "catalog": nil, "nil": nil, "missing": nil,
	} {
		if have, err := file.Parse([]byte(text), service); err != nil || !sd.Same(want, have) {
			t.Errorf("%s: want %+v, have %+v, %v", service, want, have, err)
		}
	}
}

func TestMistakesAreSaidWithTheirPlace(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                                "it is empty; want an object with a list of instances for each service",
		" \n\t":                           "it is empty; want an object with a list of instances for each service",
		"[]":                              "line 1, column 1: it is a list, want an object with a list of instances for each service",
		"7":                               "line 1, column 1: it is a number, want an object with a list of instances for each service",
		"{":                               "line 1, column 2: it ends too soon",
		`{"s":[{"address":"a"}]`:          "line 1, column 23: it ends too soon",
		`{"s":[{"address":"a"`:            "line 1, column 21: it ends too soon",
		`{"s":[{"addr`:                    "line 1, column 13: it ends too soon",
		`{"s":[]}{}`:                      "line 1, column 9: something follows the end",
		"{\"s\":[],\n \"t\":[1,]}":        "line 2, column 8: invalid character ',' at start of value",
		"{\n  \"s\": [],\n  \"s\": []\n}": `line 3, column 3: the name "s" comes twice`,
		"{\"s\": 7}":                      "line 1, column 7: it is a number, want a list of instances",
		"{\"s\": [\n  {\"address\": \"a\"},\n  7]}": "line 3, column 3: it is a number, want an instance, which is an object",
		"{\"s\": [null]}": "line 1, column 8: it is null, want an instance, which is an object",
		"{\"s\": [{\n \"address\": \"a\",\n \"wieght\": 2}]}":       `line 3, column 2: the field "wieght" is not known`,
		"{\"s\": [{\"Address\": \"a\"}]}":                           `line 1, column 9: the field "Address" is not known`,
		"{\"s\": [{\"address\": \"a\", \"weight\": \"2\"}]}":        `line 1, column 35: the field "weight" is a string, want a whole number`,
		"{\"s\": [{\"address\": \"a\", \"weight\": 2.5}]}":          `line 1, column 35: the field "weight" is a number, want a whole number`,
		"{\"s\": [{\"address\": \"a\", \"tags\": \"x\"}]}":          `line 1, column 33: the field "tags" is a string, want a list of strings`,
		"{\"s\": [{\"address\": \"a\", \"metadata\": {\"k\": 1}}]}": `line 1, column 43: the field "k" is a number, want a string`,
		"{\"s\": [{\"address\": \"a\"}, {\n\"id\": \"b\"}]}":        "line 1, column 26: the instance is not valid: the address is missing",
		"{\"s\": [{\"address\": \"a\", \"weight\": 70000}]}":        "line 1, column 8: the instance is not valid: the weight is 70000, want 0 to 65535",
		"{\"s\": [{\"address\": \"a\xff\"}]}":                       "line 1, column",
		"{\"s\": [{\"address\": \"a\", \"address\": \"b\"}]}":       `line 1, column 25: the name "address" comes twice`,
	} {
		if set, err := file.Parse([]byte(text), "s"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: want %s, have %v, %v", text, want, set, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"s":[{"id":"a","address":"b","weight":1,"tags":["x"],"metadata":{"k":"v"}}],"t":[]}`))
	f.Add([]byte("{\"s\": [\n{\"address\": 7}, null,]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		set, err := file.Parse(data, "s")
		if err != nil && err.Error() == "" {
			t.Error("want an error that says something")
		}
		for _, i := range set {
			if checkErr := i.Check(); err == nil && checkErr != nil {
				t.Errorf("%+v: %v", i, checkErr)
			}
		}
	})
}
