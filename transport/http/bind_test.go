package httptransport_test

import (
	"context"
	"math/big"
	"net/http"
	"net/netip"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/ashlar-go/ashlar/codec"
	"github.com/ashlar-go/ashlar/status"
	httptransport "github.com/ashlar-go/ashlar/transport/http"
)

type paging struct {
	Limit  int    `default:"20"        json:"-" query:"limit"`
	Cursor string `json:"-"            query:"cursor"`
}

type listing struct {
	paging

	Shop    string         `json:"-" path:"shop"`
	Tags    []string       `json:"-" query:"tag"`
	IDs     []int64        `json:"-" query:"id"`
	Since   time.Time      `json:"-" query:"since"`
	Within  *time.Duration `json:"-" query:"within"`
	Open    *bool          `default:"true" json:"-" query:"open"`
	Address netip.Addr     `header:"x-forwarded-for" json:"-"`
	Tenant  string         `header:"X-Tenant,required" json:"-"`
}

// bound serves a request of type T at pattern and returns what was bound from it, or the problem.
func bound[T any](t *testing.T, pattern, method, target, body string, header ...string) (request T, e *status.Error) {
	t.Helper()
	h := handler(pattern, func(_ context.Context, r T) (struct{}, error) {
		request = r
		return struct{}{}, nil
	})
	w := ask(h, method, target, body, header...)
	if w.Code != http.StatusNoContent {
		e = problem(t, w)
	}
	return request, e
}

func TestFieldsAreBoundFromPathQueryAndHeader(t *testing.T) {
	t.Parallel()
	within, open := 90*time.Second, false
	for _, tt := range []struct {
		name, target string
		header       []string
		want         listing
	}{
		{
			"everything",
			"/shops/a%2Fb/items?limit=5&cursor=x%20y&tag=a&tag=b&id=-1&id=9223372036854775807&since=2026-01-02T03:04:05Z&within=1m30s&open=false",
			[]string{"X-Forwarded-For: 192.0.2.1"},
			listing{
				paging{5, "x y"},
				"a/b",
				[]string{"a", "b"},
				[]int64{-1, 1<<63 - 1},
				time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
				&within,
				&open,
				netip.MustParseAddr("192.0.2.1"),
				"t",
			},
		},
		{"what is absent is its default or zero", "/shops/s/items", nil, listing{paging: paging{20, ""}, Shop: "s", Open: new(true), Tenant: "t"}},
		{
			"what is present and empty is no default", "/shops/s/items?cursor=&tag=", nil,
			listing{paging: paging{20, ""}, Shop: "s", Tags: []string{""}, Open: new(true), Tenant: "t"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			header := append(tt.header, "X-Tenant: t")
			have, e := bound[*listing](t, "GET /shops/{shop}/items", "GET", tt.target, "", header...)
			if e != nil {
				t.Fatal(e)
			}
			if !reflect.DeepEqual(&tt.want, have) {
				t.Errorf("by pointer: want %+v, have %+v", &tt.want, have)
			}
			value, e := bound[listing](t, "GET /shops/{shop}/items", "GET", tt.target, "", header...)
			if e != nil || !reflect.DeepEqual(tt.want, value) {
				t.Errorf("by value: want %+v, have %+v, %v", tt.want, value, e)
			}
		})
	}
}

func TestAllThatIsWrongIsReportedAtOnce(t *testing.T) {
	t.Parallel()
	type item struct {
		Price int `json:"price"`
	}
	type order struct {
		Shop   uint8   `json:"-"       path:"shop"`
		Limit  int     `json:"-"       query:"limit"`
		IDs    []int   `json:"-"       query:"id"`
		Once   string  `json:"-"       query:"once"`
		Tenant string  `header:"X-Tenant,required" json:"-"`
		Items  []*item `json:"items"`
	}
	_, e := bound[*order](t, "POST /shops/{shop}", "POST", "/shops/256?limit=many&id=1&id=x&once=a&once=b", `{"items":[{"price":1},{"price":"one"}]}`)
	if e == nil {
		t.Fatal("want an error, have none")
	}
	if e.Code != status.InvalidArgument {
		t.Errorf("want %v, have %v", status.InvalidArgument, e.Code)
	}
	fields := make([]string, len(e.Violations))
	for i, v := range e.Violations {
		fields[i] = v.Field
		if v.Description == "" {
			t.Errorf("%s: there is no description", v.Field)
		}
	}
	slices.Sort(fields)
	if want := []string{"X-Tenant", "id", "items[1].price", "limit", "once", "shop"}; !slices.Equal(want, fields) {
		t.Errorf("want %q, have %q", want, fields)
	}
}

func TestMalformedQueryIsReportedOnce(t *testing.T) {
	t.Parallel()
	for _, target := range []string{"/x?a=%zz&limit=1", "/x?a=1;b=2"} {
		_, e := bound[*paging](t, "GET /x", "GET", target, "")
		if e == nil || len(e.Violations) != 1 || e.Violations[0].Field != "query" {
			t.Errorf("%s: want one violation of the query, have %v", target, e)
		}
	}
}

func TestTheBodyCannotSetBoundFields(t *testing.T) {
	t.Parallel()
	type owner struct {
		Tenant string `header:"X-Tenant"`
	}
	type account struct {
		owner

		ID    string   `path:"id"`
		Admin bool     `query:"admin"`
		Roles []string `query:"role"`
		Level *int     `default:"1" query:"level"`
		Name  string
	}
	body := `{"ID":"7","Admin":true,"Roles":["root"],"Level":9,"Tenant":"other","Name":"n"}`
	have, e := bound[*account](t, "PUT /accounts/{id}", "PUT", "/accounts/3", body)
	if want := (&account{ID: "3", Level: new(1), Name: "n"}); e != nil || !reflect.DeepEqual(want, have) {
		t.Errorf("want %+v, have %+v, %v", want, have, e)
	}
	have, e = bound[*account](t, "PUT /accounts/{id}", "PUT", "/accounts/3?admin=0&level=2", body, "X-Tenant: mine")
	if want := (&account{owner: owner{"mine"}, ID: "3", Level: new(2), Name: "n"}); e != nil || !reflect.DeepEqual(want, have) {
		t.Errorf("want %+v, have %+v, %v", want, have, e)
	}
}

func TestBodyFieldIsTheWholeBody(t *testing.T) {
	t.Parallel()
	type update struct {
		ID    string `path:"id"`
		Lines []int  `body:""`
	}
	have, e := bound[update](t, "PUT /x/{id}", "PUT", "/x/1", `[1,2]`)
	if want := (update{"1", []int{1, 2}}); e != nil || !reflect.DeepEqual(want, have) {
		t.Errorf("want %+v, have %+v, %v", want, have, e)
	}
	_, e = bound[update](t, "PUT /x/{id}", "PUT", "/x/1", `[1,"b"]`)
	if want := "[1]"; e == nil || len(e.Violations) != 1 || e.Violations[0].Field != want {
		t.Errorf("want a violation of %s, have %v", want, e)
	}
	type byPointer struct {
		Order *pair `body:""`
	}
	pointer, e := bound[byPointer](t, "PUT /x", "PUT", "/x", `{"a":1}`)
	if e != nil || pointer.Order == nil || pointer.Order.A != 1 {
		t.Errorf("want a of 1, have %+v, %v", pointer.Order, e)
	}
}

func TestRequestsThatAreNoStructAreTheBody(t *testing.T) {
	t.Parallel()
	if have, e := bound[[]int](t, "POST /x", "POST", "/x", `[1,2]`); e != nil || !slices.Equal([]int{1, 2}, have) {
		t.Errorf("slice: have %v, %v", have, e)
	}
	if have, e := bound[map[string]int](t, "POST /x", "POST", "/x", `{"a":1}`); e != nil || have["a"] != 1 {
		t.Errorf("map: have %v, %v", have, e)
	}
	if have, e := bound[string](t, "POST /x", "POST", "/x", `"a"`); e != nil || have != "a" {
		t.Errorf("string: have %v, %v", have, e)
	}
	if have, e := bound[*int](t, "POST /x", "POST", "/x", `7`); e != nil || *have != 7 {
		t.Errorf("pointer: have %v, %v", have, e)
	}
	if have, e := bound[any](t, "POST /x", "POST", "/x", `{"a":true}`); e != nil || !reflect.DeepEqual(map[string]any{"a": true}, have) {
		t.Errorf("any: have %v, %v", have, e)
	}
	if have, e := bound[*big.Int](t, "POST /x", "POST", "/x", `12345678901234567890`); e != nil || have.String() != "12345678901234567890" {
		t.Errorf("a struct without exported fields that decodes itself: have %v, %v", have, e)
	}
	if _, e := bound[struct{}](t, "POST /x", "POST", "/x", `not read`, "Content-Type: text/plain"); e != nil {
		t.Errorf("struct{}: have %v", e)
	}
}

func TestEmptyBodies(t *testing.T) {
	t.Parallel()
	const noBody = "the request has no body"
	for _, tt := range []struct {
		name, method string
		header       []string
		want         string // the violation
	}{
		{"GET has none", "GET", nil, ""},
		{"DELETE has none", "DELETE", nil, ""},
		{"a content type does not make GET have one", "GET", []string{"Content-Type: application/json"}, ""},
		{"POST needs one", "POST", nil, noBody},
		{"PUT needs one", "PUT", nil, noBody},
		{"PATCH needs one", "PATCH", nil, noBody},
		{"an empty document is for the codec to judge", "POST", []string{"Content-Type: application/json"}, "the document is empty"},
		{"for which it can be a value", "POST", []string{"Content-Type: application/x-empty"}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := handler("/x", add, jsonAnd(emptyCodec{}))
			w := ask(h, tt.method, "/x", "", tt.header...)
			switch {
			case tt.want == "":
				if w.Code != http.StatusOK {
					t.Errorf("want 200, have %d %s", w.Code, w.Body)
				}
			case w.Code != http.StatusBadRequest:
				t.Errorf("want 400, have %d %s", w.Code, w.Body)
			default:
				if have := violations(problem(t, w)); !slices.Equal([]string{tt.want}, have) {
					t.Errorf("want %q, have %q", tt.want, have)
				}
			}
		})
	}
}

// emptyCodec reads nothing into anything, as Protocol Buffers do.
type emptyCodec struct{ codec.Codec }

func (emptyCodec) ContentTypes() []string   { return []string{"application/x-empty"} }
func (emptyCodec) Decode([]byte, any) error { return nil }

func TestUnknownLengthWithoutContentType(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, method, body string
		want               int
	}{
		{"an empty GET that a proxy made chunked", "GET", "", http.StatusOK},
		{"an empty POST", "POST", "", http.StatusBadRequest},
		{"a body of no known type", "POST", "{}", http.StatusUnsupportedMediaType},
		{"a GET with a body of no known type", "GET", "{}", http.StatusUnsupportedMediaType},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := askChunked(handler("/x", add), tt.method, "/x", tt.body)
			if w.Code != tt.want {
				t.Errorf("want %d, have %d %s", tt.want, w.Code, w.Body)
			}
		})
	}
}

func TestRequestTypesThatCannotBeBound(t *testing.T) {
	t.Parallel()
	type inner struct {
		ID string `path:"id"`
	}
	type Exported struct {
		ID string `path:"id"`
	}
	for _, tt := range []struct {
		name string
		make func()
		want string
	}{
		{"unexported", server[struct {
			id string `path:"id"`
		}], "field id is tagged, but not exported"},
		{"no name", server[struct {
			ID string `path:""`
		}], "field ID: the tag path has no name"},
		{"unknown option", server[struct {
			ID string `query:"id,omitzero"`
		}], `the tag query has the unknown option "omitzero"`},
		{"no scalar", server[struct {
			M map[string]string `query:"m"`
		}], "field M: a map[string]string cannot be taken from the query"},
		{"slice from the path", server[struct {
			IDs []string `path:"id"`
		}], "a []string cannot be taken from the path"},
		{"default that does not fit", server[struct {
			N int8 `default:"300" query:"n"`
		}], "field N: default: "},
		{"default of a required field", server[struct {
			N int `default:"3" query:"n,required"`
		}], "a required field has no use for a default"},
		{"default of a slice", server[struct {
			N []int `default:"3" query:"n"`
		}], "a slice cannot have a default"},
		{"two bodies", server[struct {
			A pair `body:""`
			B pair `body:""`
		}], "field B is the second one tagged body"},
		{"more beside the body", server[struct {
			A pair `body:""`
			B string
		}], "field B would be in the body too"},
		{"two tags", server[struct {
			ID string `path:"id" query:"id"`
		}], "field ID has the tags path and query"},
		{"a source and the body", server[struct {
			ID string `body:"" query:"id"`
		}], "field ID has the tags query and body"},
		{"the same twice", server[struct {
			A string `query:"x"`
			B string `query:"x"`
		}], "fields A and B are both taken from the query"},
		{"the same header twice", server[struct {
			A string `header:"X-A"`
			B string `header:"x-a"`
		}], "fields A and B are both taken from the header"},
		{"no header name", server[struct {
			A string `header:"X A"`
		}], `"X A" is no name of a header field`},
		{"what net/http keeps for itself", server[struct {
			A string `header:"host"`
		}], "net/http keeps Host for itself"},
		{"embedded pointer", server[struct{ *Exported }], "field Exported: its fields are tagged, but it is embedded by pointer"},
		{"named struct", server[struct{ In inner }], "field In: its field ID is tagged, but In is not embedded"},
		{"tags inside the body", server[struct {
			In inner `body:""`
		}], "field In: its field ID is tagged, but In is not embedded"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			wantPanic(t, "httptransport: server of orders/Place: binding struct", tt.make)
			wantPanic(t, tt.want, tt.make)
		})
	}
}

// server makes a server of requests of type T.
func server[T any]() { httptransport.NewServer(testSpec, echo[T]) }
