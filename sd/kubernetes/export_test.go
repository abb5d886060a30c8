package kubediscovery

import "time"

// SetLimits sets how long a watch lasts at most, and how many EndpointSlices a page has, for tests that cannot wait or write so many.
func (i *Instancer) SetLimits(watch time.Duration, page int64) {
	i.watchLimit, i.pageSize = watch, page
}
