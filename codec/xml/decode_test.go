package xml_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"math"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/ashlar-go/ashlar/codec"
	"github.com/ashlar-go/ashlar/codec/codectest"
	codecxml "github.com/ashlar-go/ashlar/codec/xml"
)

type everything struct {
	XMLName xml.Name     `xml:"all"`
	Attr    uint8        `xml:"attr,attr"`
	Int8    int8         `xml:"int8"`
	Float   float64      `xml:"float"`
	Bool    bool         `xml:"bool"`
	Text    string       `xml:"text"`
	Time    *time.Time   `xml:"time"`
	Addr    *netip.Addr  `xml:"addr"`
	Deep    []string     `xml:"a>b>c"`
	List    []everything `xml:"all"`
	Inner   raw          `xml:"inner"`
	Any     any          `xml:"any"`
}

type raw struct {
	XML string `xml:",innerxml"`
}

func TestErrorsSayWhereAndWhat(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("9", 1000)
	for _, tt := range []struct{ data, path, problem string }{
		{"", "", "the document is empty"},
		{" \n", "", "the document is empty"},
		{"<!-- only this -->", "", "the document ends too early"},
		{"<all><int8>1</int8", "int8", "the document ends too early"},
		{"<all>\n<int8>1\n</int9></all>", "int8", "invalid XML at line 3: element <int8> closed by </int9>"},
		{"<all/>\n<all/>", "", "invalid XML at line 2: a second root element"},
		{"<all/>\nx", "", "invalid XML at line 2: text outside the root element"},
		{"<!DOCTYPE all><all/>", "", "invalid XML at line 1: a document type declaration"},
		{"<all>\n<!DOCTYPE x []><text>1</text></all>", "", "invalid XML at line 2: a document type declaration"},
		{"<all><text/><!ENTITY a \"<!-- -->\"></all>", "", "invalid XML at line 1: a document type declaration"},
		{"<other/>", "", "the element has another name than expected"},
		{`<all attr="256"></all>`, "", "the number 256 is out of range"},
		{"<all><int8>128</int8></all>", "int8", "the number 128 is out of range"},
		{"<all><int8>" + long + "</int8></all>", "int8", "the number " + strings.Repeat("9", 48) + "... is out of range"},
		{"<all><float>x</float></all>", "float", `want a number, have "x"`},
		{"<all><bool>x</bool></all>", "bool", `want true or false, have "x"`},
		{"<all><time>x</time></all>", "time", "want a time such as 2006-01-02T15:04:05Z"},
		{"<all><addr>x</addr></all>", "addr", "the value is not valid"},
		{"<all><all/><text/><all><all/><all><int8>x</int8></all></all></all>", "all[1].all[1].int8", `want an integer, have "x"`},
		{"<all><all><int8>x</int8></all><all/></all>", "all[0].int8", `want an integer, have "x"`},
		{`<all><x:int8 xmlns:x="y">x</x:int8></all>`, "int8", `want an integer, have "x"`},
	} {
		err := codecxml.New().Decode([]byte(tt.data), new(everything))
		e, ok := errors.AsType[*codec.DecodeError](err)
		if !ok || e.Path != tt.path || e.Problem != tt.problem {
			t.Errorf("%.40q: want %s: %s, have %v", tt.data, tt.path, tt.problem, err)
		}
	}
}

func TestWhatStandsAroundTheRoot(t *testing.T) {
	t.Parallel()
	data := "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- a --> <all><inner><b>x</b></inner></all>\n<!-- b --><?pi?>\n"
	var v everything
	if err := codecxml.New().Decode([]byte(data), &v); err != nil || v.Inner.XML != "<b>x</b>" {
		t.Errorf("want <b>x</b>, have %q, %v", v.Inner.XML, err)
	}
}

func TestDepthCountsElementsAlone(t *testing.T) {
	t.Parallel()
	c := codecxml.New(codecxml.MaxDepth(2))
	for _, data := range []string{
		"<all><a/><a/><a b='>'/><a b=\"/>'\"></a></all>", "<all><!-- <a><a><a> --></all>", "<all><![CDATA[<a><a><a>]]></all>", "<all><?pi <a><a><a> ?></all>",
	} {
		if err := c.Decode([]byte(data), new(everything)); err != nil {
			t.Errorf("%s: %v", data, err)
		}
	}
	for _, data := range []string{"<all><a><a/></a></all>", "<all><a b='/>'><a/></a></all>", strings.Repeat("<all>", 1_000_000)} {
		err := c.Decode([]byte(data), new(everything))
		if e, ok := errors.AsType[*codec.DecodeError](err); !ok || e.Problem != "nested deeper than 2 levels" {
			t.Errorf("%.40s: want it refused, have %v", data, err)
		}
	}
}

func TestElementsAreLimitedInTheWholeDocument(t *testing.T) {
	t.Parallel()
	c := codecxml.New(codecxml.MaxElements(4))
	for data, want := range map[string]bool{
		"<all><a/><b><c/></b><!-- <d/> --><![CDATA[<d/>]]></all>": true,
		"<all><a/><b><c/></b><d/></all>":                          false,
		"<all><a><b><c><d></d></c></b></a></all>":                 false,
	} {
		err := c.Decode([]byte(data), new(everything))
		e, ok := errors.AsType[*codec.DecodeError](err)
		if want != (err == nil) || !want && (!ok || e.Problem != "want at most 4 elements") {
			t.Errorf("%s: want accepted %t, have %v", data, want, err)
		}
	}
	many := "<list>" + strings.Repeat("<e/>", codecxml.DefaultMaxElements) + "</list>"
	if _, ok := errors.AsType[*codec.DecodeError](codecxml.New().Decode([]byte(many), new(codectest.Node))); !ok {
		t.Error("want too many elements refused by default")
	}
}

func TestTheLastOfAttributesThatAreTheSameCounts(t *testing.T) {
	t.Parallel()
	var v everything
	if err := codecxml.New().Decode([]byte(`<all attr="1" attr="2"/>`), &v); err != nil || v.Attr != 2 {
		t.Errorf("want 2, have %d, %v", v.Attr, err)
	}
}

func TestATypeWithoutAFormIsTheCallersMistake(t *testing.T) {
	t.Parallel()
	type ambiguous struct {
		A string `xml:"a"`
		B string `xml:"a>b"`
	}
	for _, v := range []any{new([]everything), new(map[string]int), new(struct{ M map[string]int }), new([3]int), new(ambiguous), (*everything)(nil)} {
		_, err := codecxml.New().Append(nil, v)
		if err == nil {
			t.Errorf("%T: want Append to fail", v)
		}
		err = codecxml.New().Decode([]byte("<x/>"), v)
		if _, ok := errors.AsType[*codec.DecodeError](err); ok || err == nil {
			t.Errorf("%T: want an error that is no *codec.DecodeError, have %v", v, err)
		}
	}
}

func TestNothingOfAFailureIsInTheNextDocument(t *testing.T) {
	t.Parallel()
	c := codecxml.New()
	if _, err := c.Append(nil, &everything{Any: []any{1, make(chan int)}}); err == nil {
		t.Fatal("want a channel refused")
	}
	have, err := c.Append(nil, &codectest.Flat{Name: "x"})
	if want := "<Flat><name>x</name><price>0</price></Flat>"; err != nil || string(have) != want {
		t.Errorf("want %s, have %s, %v", want, have, err)
	}
}

func TestEverythingComesBack(t *testing.T) {
	t.Parallel()
	now, addr, name := time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC), netip.IPv6Loopback(), xml.Name{Local: "all"}
	want := everything{
		XMLName: name, Attr: 255, Int8: math.MinInt8, Float: 1e300, Bool: true, Text: " <ü>\r\n", Time: &now, Addr: &addr, Deep: []string{"", "x"},
		List: []everything{{XMLName: name}, {XMLName: name, Int8: 1}},
	}
	data, err := codecxml.New().Append(nil, want)
	if err != nil {
		t.Fatal(err)
	}
	var have everything
	if err := codecxml.New().Decode(data, &have); err != nil || !reflect.DeepEqual(want, have) {
		t.Errorf("want %+v\nhave %+v, %v", want, have, err)
	}
}

func TestOptionsAreValidated(t *testing.T) {
	t.Parallel()
	for name, option := range map[string]codecxml.Option{"depth 0": codecxml.MaxDepth(0), "depth 10001": codecxml.MaxDepth(10_001), "elements 0": codecxml.MaxElements(0), "nil": nil} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: want a panic", name)
				}
			}()
			codecxml.New(option)
		}()
	}
}

func FuzzDecode(f *testing.F) {
	c := codecxml.New()
	for _, v := range []any{everything{}, everything{List: make([]everything, 2), Deep: []string{"a", "b"}}} {
		data, err := c.Append(nil, v)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte("<?xml version='1.0'?><all attr='1' xmlns='x'><!-- c --><all/><a><b><c>&#65;</c></b></a><![CDATA[x]]></all>"))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, typ := range []reflect.Type{reflect.TypeFor[everything](), reflect.TypeFor[codectest.Order](), reflect.TypeFor[codectest.Node]()} {
			first, again := reflect.New(typ).Interface(), reflect.New(typ).Interface()
			if c.Decode(data, first) != nil {
				continue
			}
			if v, ok := first.(*everything); ok {
				stripInner(v) // it is written as it is, whatever it says where it stands
			}
			once, err := c.Append(nil, first)
			if err != nil {
				t.Fatalf("%v: encode what was decoded: %v", typ, err)
			}
			if err := c.Decode(once, again); err != nil {
				t.Fatalf("%v: decode %q: %v", typ, once, err)
			}
			if twice, err := c.Append(nil, again); err != nil || !bytes.Equal(once, twice) {
				t.Errorf("%v: want %q, have %q, %v", typ, once, twice, err)
			}
		}
	})
}

func stripInner(v *everything) {
	v.Inner.XML = ""
	for i := range v.List {
		stripInner(&v.List[i])
	}
}

func BenchmarkOrder(b *testing.B) {
	c := codecxml.New()
	order := &codectest.Order{ID: "1", Time: time.Now(), Items: make([]codectest.Item, 100)}
	for i := range order.Items {
		order.Items[i] = codectest.Item{Name: "an item of some length", Price: i}
	}
	data, err := c.Append(nil, order)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("append", func(b *testing.B) {
		dst := make([]byte, 0, 2*len(data))
		b.ReportAllocs()
		for b.Loop() {
			if _, err := c.Append(dst, order); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("decode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := c.Decode(data, new(codectest.Order)); err != nil {
				b.Fatal(err)
			}
		}
	})
}
