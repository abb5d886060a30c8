package processor

// What tests of the parsers see.
var (
	ParseMax      = parseMax
	ParseQuota    = parseQuota
	ParseUsage    = parseUsage
	ParsePressure = parsePressure
	ParseStat     = parseStat
)

// Ancestors returns the directories that a process is in with these files, of version 2 and of the controller cpu of version 1.
func Ancestors(cgroup, mountinfo []byte) (two, one []string) {
	of, mounts := parseMembership(cgroup), parseMounts(mountinfo)
	return ancestors(of, mounts, ""), ancestors(of, mounts, "cpu")
}
