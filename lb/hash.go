package lb

// golden is 2^64 divided by the golden ratio. Its multiples, modulo 2^64, are spread evenly.
const golden = 0x9e3779b97f4a7c15

// hash returns a number for texts that is the same in every process: FNV-1a, with a byte between the texts.
func hash(texts ...string) uint64 {
	const (
		offset = 14695981039346656037
		prime  = 1099511628211
	)
	h := uint64(offset)
	for i, text := range texts {
		if i > 0 {
			h *= prime
		}
		for k := range len(text) {
			h = (h ^ uint64(text[k])) * prime
		}
	}
	return mix(h)
}

// mix spreads the bits of a hash: the finalizer of MurmurHash3, since FNV's highest bits hardly depend on the last letters.
func mix(h uint64) uint64 {
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	h ^= h >> 33
	h *= 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}
