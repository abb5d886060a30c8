package apikeyauth_test

import (
	"crypto/sha256"
	"hash/crc32"
	"regexp"
	"testing"

	"github.com/ashlar-go/ashlar/auth"
	apikeyauth "github.com/ashlar-go/ashlar/auth/apikey"
)

const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// crc62 is the checksum as docs/auth-apikey.md says it, for scanners that others write.
func crc62(text string) string {
	sum := make([]byte, 6)
	n := crc32.ChecksumIEEE([]byte(text))
	for i := len(sum) - 1; i >= 0; i-- {
		sum[i] = base62[n%62]
		n /= 62
	}
	return string(sum)
}

func TestKeysAreOfTheFormThatScannersKnow(t *testing.T) {
	t.Parallel()
	form := regexp.MustCompile(`^shop_live_[0-9A-Za-z]{12}_[0-9A-Za-z]{49}$`)
	seen := make(map[byte]int)
	for range 500 {
		key, r, err := apikeyauth.Generate("shop_live", auth.Principal{Subject: "a"}, 0)
		if err != nil || !form.MatchString(key) || key[10:22] != r.ID || key[66:] != crc62(key[:66]) || r.Hash != sha256.Sum256([]byte(key)) {
			t.Fatalf("have %s, %v, %v", key, r, err)
		}
		for i := range 43 {
			seen[key[23+i]]++
		}
	}
	for i := range len(base62) { // each is there some 347 times, and the deviation is 18.5
		if n := seen[base62[i]]; n < 236 || n > 458 {
			t.Errorf("%c is there %d times", base62[i], n)
		}
	}
}
