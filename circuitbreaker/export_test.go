package circuitbreaker

// Sites says how many endpoints and names are kept, also of those that nobody uses any more.
func (b *Breakers) Sites() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.sites) + len(b.named)
}
