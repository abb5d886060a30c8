package lb

import (
	"math"
	"math/bits"
	"slices"
)

// ringPoints is how many points an instance has at least; it has less than twice as many. So its part varies by an eighth, or less.
const ringPoints = 64

// ring has points on the circle of the numbers from 0 to 2^64, each of which belongs to a node: Karger, Lehman, Leighton, Panigrahy,
// Levine and Lewin, "Consistent Hashing and Random Trees" (STOC 1997). The points of a node depend on its ID, and how many they are on
// its weight in relation to the mean. Since they are spread evenly they are sorted, and found, by equal parts of the circle.
type ring struct {
	points []uint64 // sorted
	owners []int32
	parts  []int32 // by equal parts of the circle, the first point in it or after it
}

func newRing(nodes []*Node) *ring {
	counts, sum := pointsOf(nodes)
	r := &ring{points: make([]uint64, sum), owners: make([]int32, sum), parts: make([]int32, sum+1)}
	all := make([]uint64, 0, sum)
	for i, n := range nodes {
		h := hash(n.id)
		for k := range counts[i] {
			point := mix(h + uint64(k)*golden)
			all = append(all, point)
			r.parts[r.part(point)]++
		}
	}
	below := int32(0)
	for i, count := range r.parts {
		below += count
		r.parts[i] = below
	}
	at := sum
	for i, count := range slices.Backward(counts) {
		for range count {
			at--
			part := r.part(all[at])
			r.parts[part]--
			r.points[r.parts[part]], r.owners[r.parts[part]] = all[at], int32(i)
		}
	}
	r.sort()
	return r
}

// pointsOf returns how many points each node has. What a weight is compared with is a power of two, so that a change of a few weights does
// not change the points of all.
func pointsOf(nodes []*Node) (counts []int, sum int) {
	total := 0.0
	for _, n := range nodes {
		total += n.Share()
	}
	_, exponent := math.Frexp(total / float64(len(nodes)))
	scale := math.Ldexp(ringPoints, 1-exponent)
	counts = make([]int, len(nodes))
	for i, n := range nodes {
		counts[i] = max(1, int(math.Round(n.Share()*scale)))
		sum += counts[i]
	}
	return counts, sum
}

// sort sorts the points of each part, which are one on the average.
func (r *ring) sort() {
	for i := 1; i < len(r.points); i++ {
		point, owner := r.points[i], r.owners[i]
		k := i
		for ; k > 0 && r.points[k-1] > point; k-- {
			r.points[k], r.owners[k] = r.points[k-1], r.owners[k-1]
		}
		r.points[k], r.owners[k] = point, owner
	}
}

// part is the number of the part that a number is in.
func (r *ring) part(x uint64) int {
	part, _ := bits.Mul64(x, uint64(len(r.parts)-1))
	return int(part)
}

// first is the first point that is not before x.
func (r *ring) first(x uint64) int {
	i := int(r.parts[r.part(x)])
	for i < len(r.points) && r.points[i] < x {
		i++
	}
	return i % len(r.points)
}
