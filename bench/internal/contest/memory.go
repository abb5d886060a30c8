package contest

import "runtime/debug"

// Roomy has the process collect its garbage as seldom as a service does, which has more in memory than a contestant. With Go's
// default a process with next to nothing in memory collects it some thousand times a second.
func Roomy() {
	const percent = 800
	debug.SetGCPercent(percent)
}
