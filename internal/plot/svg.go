package plot

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
)

// The measures of the image, in pixels.
const (
	width       = 860
	plotHeight  = 230
	leftMargin  = 72
	rightMargin = 16
	titleSpace  = 30
	legendLine  = 20
	axisSpace   = 46
	gap         = 14
	letter      = 6.6 // the width of one in a legend, on the average and with some reserve
)

// style holds the colours: after Okabe and Ito, who chose them so that they can be told apart with any kind of sight, and lighter ones
// on dark ground. The image has a ground of its own, since a page need not be as dark as the reader's system says.
const style = `
svg { font: 12px system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif }
.ground { fill: #ffffff } text { fill: #1f2328 } .title { font-size: 14px; font-weight: 600 } .quiet { fill: #59636e }
.grid { stroke: #d8dee4; stroke-width: 1 } .axis { stroke: #59636e; stroke-width: 1 } .band { fill: #bf8700; fill-opacity: .13 }
.line { fill: none; stroke-width: 2; stroke-linejoin: round }
.l0 { stroke: #d55e00 } .l1 { stroke: #0072b2 } .l2 { stroke: #00805e } .l3 { stroke: #b34f8c }
.l4 { stroke: #8a6d00 } .l5 { stroke: #6639ba } .l6 { stroke: #444c56 } .l7 { stroke: #9b1c31 }
.l1, .l5 { stroke-dasharray: 9 3 } .l2, .l6 { stroke-dasharray: 3 2.5 } .l3, .l7 { stroke-dasharray: 10 3 2 3 }
@media (prefers-color-scheme: dark) {
.ground { fill: #0d1117 } text { fill: #e6edf3 } .quiet { fill: #9198a1 } .grid { stroke: #2d333b } .axis { stroke: #9198a1 }
.band { fill: #e3b341; fill-opacity: .16 }
.l0 { stroke: #ff8c42 } .l1 { stroke: #56b4e9 } .l2 { stroke: #2fd1a0 } .l3 { stroke: #e58fc4 }
.l4 { stroke: #f0d04a } .l5 { stroke: #c4a7ff } .l6 { stroke: #c9d1d9 } .l7 { stroke: #ff7b8a }
}
`

// WriteSVG writes one image with the charts, each below the one before. It fails for a chart that makes no sense, of which it writes
// nothing, and when w does. Description is for those who cannot see the image.
func WriteSVG(w io.Writer, description string, charts ...Chart) error {
	if len(charts) == 0 {
		return fmt.Errorf("plot: %q has no charts", description)
	}
	for i := range charts {
		if err := charts[i].check(); err != nil {
			return fmt.Errorf("plot: chart %q: %w", charts[i].Title, err)
		}
	}
	d := &drawing{}
	height := 0
	for i := range charts {
		height += d.chart(&charts[i], i, height)
	}
	var head drawing
	head.printf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img">`, width, height, width, height)
	head.printf("<title>%s</title>\n<style>%s</style>\n", escaped(description), style)
	head.printf(`<rect class="ground" width="%d" height="%d" rx="6"/>`, width, height)
	if _, err := io.WriteString(w, head.String()+"\n"+d.String()+"</svg>\n"); err != nil {
		return fmt.Errorf("plot: %w", err)
	}
	return nil
}

// drawing collects what is drawn.
type drawing struct{ strings.Builder }

func (d *drawing) printf(format string, args ...any) { _, _ = fmt.Fprintf(d, format, args...) }

func escaped(text string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(text)) // a Builder does not fail
	return b.String()
}

// text writes text; anchor is "start", "middle" or "end".
func (d *drawing) text(x, y float64, class, anchor, text string) {
	d.printf(`<text class="%s" x="%.1f" y="%.1f" text-anchor="%s">%s</text>`+"\n", class, x, y, anchor, escaped(text))
}

// chart draws the chart whose number it is, and returns its height.
func (d *drawing) chart(c *Chart, number, top int) (height int) {
	d.text(leftMargin, float64(top+titleSpace-8), "title", "start", c.Title)
	y := d.legend(c, top+titleSpace) + gap
	bottom := y + plotHeight

	var xs, ys []float64
	for _, l := range c.Lines {
		xs, ys = append(xs, l.X...), append(ys, l.Y...)
	}
	across := newScale(c.X, xs, leftMargin, width-rightMargin)
	up := newScale(c.Y, ys, float64(bottom), float64(y))

	d.printf(`<clipPath id="c%d"><rect x="%d" y="%d" width="%d" height="%d"/></clipPath>`+"\n",
		number, leftMargin, y-1, width-leftMargin-rightMargin, plotHeight+2)
	d.bands(c.Bands, number, across, up)
	d.marks(across, up)
	d.text((across.from+across.to)/2, up.from+36, "quiet", "middle", c.X.Label)
	middle := (up.from + up.to) / 2
	d.printf(`<text class="quiet" text-anchor="middle" transform="translate(16 %.1f) rotate(-90)">%s</text>`+"\n", middle, escaped(c.Y.Label))
	for i, l := range c.Lines {
		d.printf(`<path class="line l%d" clip-path="url(#c%d)" d="%s"/>`+"\n", i, number, path(l, across, up))
	}
	return bottom + axisSpace - top
}

// legend writes the names of the lines, in as many rows as they need, and returns where it ends.
func (d *drawing) legend(c *Chart, top int) (bottom int) {
	const sample, space = 26, 18
	x, y := float64(leftMargin), top+legendLine/2
	for i, l := range c.Lines {
		needs := sample + 6 + letter*float64(len([]rune(l.Name))) + space
		if x > leftMargin && x+needs > width-rightMargin {
			x, y = leftMargin, y+legendLine
		}
		d.printf(`<path class="line l%d" d="M%.1f %dh%d"/>`+"\n", i, x, y, sample)
		d.text(x+sample+6, float64(y+4), "name", "start", l.Name)
		x += needs
	}
	return y + legendLine/2
}

func (d *drawing) bands(bands []Band, number int, across, up scale) {
	for _, b := range bands {
		from, ok := across.at(b.From)
		to, also := across.at(b.To)
		if !ok || !also || to < across.from || from > across.to {
			continue
		}
		from, to = max(from, across.from), min(to, across.to)
		d.printf(`<rect class="band" clip-path="url(#c%d)" x="%.1f" y="%.1f" width="%.1f" height="%.1f"/>`+"\n",
			number, from, up.to, to-from, up.from-up.to)
		d.text((from+to)/2, up.to+14, "quiet", "middle", b.Label)
	}
}

// marks draws the axes with their marks, and lines across.
func (d *drawing) marks(across, up scale) {
	for _, v := range up.ticks() {
		y, _ := up.at(v)
		d.printf(`<path class="grid" d="M%.1f %.1fH%.1f"/>`+"\n", across.from, y, across.to)
		d.text(across.from-8, y+4, "quiet", "end", label(v))
	}
	for _, v := range across.ticks() {
		x, _ := across.at(v)
		d.printf(`<path class="axis" d="M%.1f %.1fv5"/>`+"\n", x, up.from)
		d.text(x, up.from+18, "quiet", "middle", label(v))
	}
	d.printf(`<path class="axis" d="M%.1f %.1fH%.1f"/>`+"\n", across.from, up.from, across.to)
}

// path returns the line as the commands of an SVG path.
func path(l Line, across, up scale) string {
	var b strings.Builder
	drawn := false
	for i := range l.X {
		x, ok := across.at(l.X[i])
		y, also := up.at(l.Y[i])
		if !ok || !also {
			drawn = false
			continue
		}
		command := 'L'
		if !drawn {
			command, drawn = 'M', true
		}
		fmt.Fprintf(&b, "%c%.1f %.1f", command, x, y)
		if command == 'M' { // a point by itself is to be seen too
			if _, follows := up.at(l.Y[min(i+1, len(l.Y)-1)]); i+1 == len(l.X) || !follows {
				b.WriteString("h1")
			}
		}
	}
	return b.String()
}
