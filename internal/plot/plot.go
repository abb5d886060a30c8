// Package plot draws line charts as SVG, legible on light and on dark ground, for the figures of the documentation.
//
// A Chart has a title, two axes, a legend and lines; WriteSVG puts one or several of them, each below the one before, into one image.
package plot

import (
	"errors"
	"fmt"
	"math"
)

// Chart is a chart with lines. Its lines share the axes.
type Chart struct {
	Title string
	X, Y  Axis
	Lines []Line
	Bands []Band // are drawn behind the lines
}

// Axis is the range of one of the two. Min and Max are chosen by the data, with 0 in the range, when both are 0; a logarithmic one
// takes the decades around what is positive.
type Axis struct {
	Label    string
	Min, Max float64
	Log      bool
}

// Line is a line from point to point, X[i] and Y[i] being one. It has a gap where Y is NaN, and on a logarithmic axis where it is not
// positive. What is outside of the axes is cut off. Its colour and its dashes follow from its place among the lines.
type Line struct {
	Name string // in the legend
	X, Y []float64
}

// Band marks a range of X from top to bottom, as that of an outage.
type Band struct {
	Label    string
	From, To float64
}

// MaxLines is how many lines a chart has at most, since more cannot be told apart.
const MaxLines = 8

// check says what is wrong with the chart.
func (c *Chart) check() error {
	if len(c.Lines) == 0 || len(c.Lines) > MaxLines {
		return fmt.Errorf("%d lines: want 1 to %d", len(c.Lines), MaxLines)
	}
	for _, axis := range []struct {
		name string
		Axis
	}{{"X", c.X}, {"Y", c.Y}} {
		switch {
		case !finite(axis.Min) || !finite(axis.Max) || axis.Min > axis.Max || axis.Min == axis.Max && axis.Min != 0:
			return fmt.Errorf("%s axis from %v to %v: want a range, or 0 and 0", axis.name, axis.Min, axis.Max)
		case axis.Log && axis.Min <= 0 && (axis.Min != 0 || axis.Max != 0):
			return fmt.Errorf("logarithmic %s axis from %v: want more than 0", axis.name, axis.Min)
		}
	}
	for _, l := range c.Lines {
		if err := l.check(); err != nil {
			return fmt.Errorf("line %q: %w", l.Name, err)
		}
	}
	for _, b := range c.Bands {
		if !finite(b.From) || !finite(b.To) || b.From > b.To {
			return fmt.Errorf("band %q from %v to %v: want a range", b.Label, b.From, b.To)
		}
	}
	return nil
}

func (l Line) check() error {
	switch {
	case l.Name == "":
		return errors.New("it has no name")
	case len(l.X) == 0 || len(l.X) != len(l.Y):
		return fmt.Errorf("%d values of X and %d of Y: want as many, and 1 or more", len(l.X), len(l.Y))
	}
	for i := range l.X {
		if !finite(l.X[i]) || !finite(l.Y[i]) && !math.IsNaN(l.Y[i]) {
			return fmt.Errorf("point %d is (%v, %v)", i, l.X[i], l.Y[i])
		}
	}
	return nil
}

// finite says whether v can be drawn: powers of ten around it, and differences, are numbers too.
func finite(v float64) bool {
	const most = 1e100
	size := math.Abs(v)
	return size <= most && (size >= 1/most || v == 0)
}
