package loadshed

import "time"

// Climber is a climber under overload, with calls that take 10 ms.
type Climber struct{ climber *climber }

// NewClimber returns one with a limit of 1 to 1000.
func NewClimber(first int) Climber { return Climber{climber: newClimber(first, 1, 1000)} }

// Step tells it how many calls have come to a useful end, and returns the limit in force.
func (c Climber) Step(now time.Duration, useful uint64) (limit int) {
	const took = 10 * time.Millisecond
	c.climber.step(reading{now: now, useful: useful, waited: now, inProgress: c.climber.now(), took: took, usual: took})
	return c.climber.now()
}
