package plot_test

import (
	"encoding/xml"
	"errors"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/ashlar-go/ashlar/internal/plot"
)

// element is what a test wants to know of an SVG.
type element struct {
	XMLName  xml.Name
	Class    string    `xml:"class,attr"`
	D        string    `xml:"d,attr"`
	Height   string    `xml:"height,attr"`
	Y        string    `xml:"y,attr"`
	Width    string    `xml:"width,attr"`
	Text     string    `xml:",chardata"`
	Children []element `xml:",any"`
}

// draw returns the elements of an image, which is to be XML.
func draw(t *testing.T, charts ...plot.Chart) element {
	t.Helper()
	var b strings.Builder
	if err := plot.WriteSVG(&b, "a <b> & c", charts...); err != nil {
		t.Fatal(err)
	}
	var root element
	if err := xml.Unmarshal([]byte(b.String()), &root); err != nil {
		t.Fatalf("%v in %s", err, b.String())
	}
	return root
}

// texts are those of a class.
func (e element) texts(class string) (texts []string) {
	for _, c := range e.Children {
		if c.XMLName.Local == "text" && c.Class == class {
			texts = append(texts, c.Text)
		}
	}
	return texts
}

// lines are the paths of a line: in the legend, and in the chart.
func (e element) lines(class string) (paths []string) {
	for _, c := range e.Children {
		if c.XMLName.Local == "path" && c.Class == class {
			paths = append(paths, c.D)
		}
	}
	return paths
}

func chart(y ...float64) plot.Chart {
	x := make([]float64, len(y))
	for i := range x {
		x[i] = float64(i)
	}
	return plot.Chart{Title: "Calls & answers", X: plot.Axis{Label: "seconds"}, Y: plot.Axis{Label: "<calls>"}, Lines: []plot.Line{{Name: "a>b", X: x, Y: y}}}
}

func TestAChartHasTitleAxesLegendAndLine(t *testing.T) {
	t.Parallel()
	root := draw(t, chart(0, 1000, 500))
	if want, have := "a <b> & c", root.Children[0].Text; want != have {
		t.Errorf("description: want %q, have %q", want, have)
	}
	if want, have := []string{"Calls & answers"}, root.texts("title"); !slices.Equal(want, have) {
		t.Errorf("title: want %q, have %q", want, have)
	}
	if want, have := []string{"a>b"}, root.texts("name"); !slices.Equal(want, have) {
		t.Errorf("legend: want %q, have %q", want, have)
	}
	have := root.texts("quiet")
	for _, want := range []string{"seconds", "<calls>", "0", "100", "1\u2009000", "0.2", "2"} {
		if !slices.Contains(have, want) {
			t.Errorf("want %q among the marks and labels, have %q", want, have)
		}
	}
	if want, have := []string{"M72.0 40h26", "M72.0 294.0L458.0 64.0L844.0 179.0"}, root.lines("line l0"); !slices.Equal(want, have) {
		t.Errorf("line: want %q, have %q", want, have)
	}
}

func TestChartsStandBelowEachOther(t *testing.T) {
	t.Parallel()
	one, two := draw(t, chart(1, 2)), draw(t, chart(1, 2), chart(1, 2))
	if one.Height == two.Height || len(two.texts("title")) != 2 {
		t.Errorf("want two charts in a higher image, have heights %s and %s", one.Height, two.Height)
	}
	if lines := two.lines("line l0"); lines[1] == lines[3] {
		t.Errorf("want the second below the first, have %q", lines)
	}
}

func TestALineHasGaps(t *testing.T) {
	t.Parallel()
	nan := math.NaN()
	line := draw(t, chart(1, 0, nan, 1, nan, 0, 1)).lines("line l0")[1]
	if want, have := 3, strings.Count(line, "M"); want != have {
		t.Errorf("want %d pieces, have %s", want, line)
	}
	if !strings.Contains(line, "h1") {
		t.Errorf("want the point by itself to be seen, have %s", line)
	}
	logarithmic := chart(1, 0, 10, -1, 100)
	logarithmic.Y.Log = true
	root := draw(t, logarithmic)
	if want, have := 3, strings.Count(root.lines("line l0")[1], "M"); want != have {
		t.Errorf("want %d pieces where there is no logarithm, have %q", want, root.lines("line l0"))
	}
	if want, have := 3, strings.Count(root.lines("line l0")[1], "h1"); want != have {
		t.Errorf("want %d of them to be seen, have %q", want, root.lines("line l0"))
	}
	if have := root.texts("quiet"); !slices.Contains(have, "10") || slices.Contains(have, "20") {
		t.Errorf("want decades, have %q", have)
	}
}

func TestALogarithmicAxisHasTheDecadesAroundItsValues(t *testing.T) {
	t.Parallel()
	c := chart(30, 2, 5000, 400)
	c.Y.Log = true
	root := draw(t, c)
	have := root.texts("quiet")
	for _, want := range []string{"1", "10", "100", "1\u2009000", "10\u2009000"} {
		if !slices.Contains(have, want) {
			t.Errorf("want %q among the marks, have %q", want, have)
		}
	}
	if slices.Contains(have, "0.1") || slices.Contains(have, "100\u2009000") {
		t.Errorf("want no mark beyond, have %q", have)
	}
}

func TestAnImageIsAsHighAsWhatIsInIt(t *testing.T) {
	t.Parallel()
	root := draw(t, chart(1, 2), chart(1, 2))
	height, err := strconv.ParseFloat(root.Height, 64)
	if err != nil {
		t.Fatal(err)
	}
	lowest := 0.0
	for _, c := range root.Children {
		if y, err := strconv.ParseFloat(c.Y, 64); err == nil {
			lowest = max(lowest, y)
		}
	}
	if lowest == 0 || lowest > height || height-lowest > 40 {
		t.Errorf("want the lowest text just above the lower edge of %v, have it at %v", height, lowest)
	}
}

func TestABandIsCutToTheAxis(t *testing.T) {
	t.Parallel()
	c := chart(1, 2, 3)
	c.Bands = []plot.Band{{Label: "outage", From: 1, To: 5}, {Label: "later", From: 7, To: 9}}
	root := draw(t, c)
	for _, e := range root.Children {
		if e.Class == "band" && e.Width != "386.0" { // from the middle of the axis to its end
			t.Errorf("want the band to end with the axis, have a width of %s", e.Width)
		}
	}
	have := root.texts("quiet")
	if !slices.Contains(have, "outage") || slices.Contains(have, "later") {
		t.Errorf("want the band that is in the range alone, have %q", have)
	}
}

func TestALongLegendHasSeveralRows(t *testing.T) {
	t.Parallel()
	c := chart(1, 2)
	for len(c.Lines) < plot.MaxLines {
		line := c.Lines[0]
		line.Name = strings.Repeat("x", 60)
		c.Lines = append(c.Lines, line)
	}
	if few, many := draw(t, chart(1, 2)).Height, draw(t, c).Height; few == many {
		t.Errorf("want a higher image for more rows, have %s and %s", few, many)
	}
}

func TestEvenAFlatChartIsDrawn(t *testing.T) {
	t.Parallel()
	for _, values := range [][]float64{{0}, {5, 5}, {-3, -3}, {math.NaN(), math.NaN()}, {1e-12, 2e-12}, {1e15, 2e15}} {
		for _, logarithmic := range []bool{false, true} {
			c := chart(values...)
			c.Y.Log = logarithmic
			root := draw(t, c)
			if text := strings.Join(slices.Concat(root.lines("line l0"), root.texts("quiet")), " "); strings.Contains(text, "NaN") || strings.Contains(text, "Inf") {
				t.Errorf("%v, logarithmic %t: %s", values, logarithmic, text)
			}
		}
	}
}

func TestChartsThatMakeNoSenseAreRefused(t *testing.T) {
	t.Parallel()
	for want, change := range map[string]func(*plot.Chart){
		"0 lines":                    func(c *plot.Chart) { c.Lines = nil },
		"9 lines":                    func(c *plot.Chart) { c.Lines = slices.Repeat(c.Lines, 9) },
		"it has no name":             func(c *plot.Chart) { c.Lines[0].Name = "" },
		"2 values of X and 1 of Y":   func(c *plot.Chart) { c.Lines[0].Y = c.Lines[0].Y[:1] },
		"point 1":                    func(c *plot.Chart) { c.Lines[0].Y[1] = math.Inf(1) },
		"point 0 is (NaN":            func(c *plot.Chart) { c.Lines[0].X[0] = math.NaN() },
		"Y axis from 2 to 1":         func(c *plot.Chart) { c.Y.Min, c.Y.Max = 2, 1 },
		"X axis from 2 to 2":         func(c *plot.Chart) { c.X.Min, c.X.Max = 2, 2 },
		"logarithmic Y axis":         func(c *plot.Chart) { c.Y = plot.Axis{Max: 2, Log: true} },
		"logarithmic Y axis from -5": func(c *plot.Chart) { c.Y = plot.Axis{Min: -5, Log: true} },
		", 1.5e+308)":                func(c *plot.Chart) { c.Lines[0].Y[1], c.Y.Log = 1.5e308, true }, // no power of ten is above it
		", 5e-324)":                  func(c *plot.Chart) { c.Lines[0].Y[1], c.Y.Log = 5e-324, true },  // and none below this
		`band "b" from 2 to 1`:       func(c *plot.Chart) { c.Bands = []plot.Band{{Label: "b", From: 2, To: 1}} },
	} {
		c := chart(1, 2)
		change(&c)
		if err := plot.WriteSVG(io.Discard, "", c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, have %v", want, err)
		}
	}
	if err := plot.WriteSVG(io.Discard, "empty"); err == nil {
		t.Error("want an error without charts")
	}
	r, w := io.Pipe()
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if err := plot.WriteSVG(w, "", chart(1)); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("want the error of the writer, have %v", err)
	}
}
