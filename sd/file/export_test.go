package file

import "github.com/ashlar-go/ashlar/sd"

// Parse is parse.
func Parse(data []byte, service string) ([]sd.Instance, error) { return parse(data, service) }
