package jwtauth

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"

	"github.com/golang-jwt/jwt/v5"
)

// remote is a private key that is not in this process, such as one of a KMS.
type remote struct{ crypto.Signer }

// sign signs a text by the algorithm of k. What a remote one gives is verified, since tokens that nobody takes would be found out late.
func (k *Key) sign(text string) ([]byte, error) {
	r, is := k.private.(remote)
	if !is {
		return k.method.Sign(text, k.private)
	}
	signature, err := r.sign(k.method, text)
	if err == nil {
		err = k.method.Verify(text, signature, k.public)
	}
	return signature, err
}

func (r remote) sign(method jwt.SigningMethod, text string) ([]byte, error) {
	switch m := method.(type) {
	case *jwt.SigningMethodRSA:
		return r.digest(m.Hash, m.Hash, text)
	case *jwt.SigningMethodRSAPSS:
		return r.digest(m.Hash, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: m.Hash}, text)
	case *jwt.SigningMethodECDSA:
		der, err := r.digest(m.Hash, m.Hash, text)
		if err != nil {
			return nil, err
		}
		return flat(der, (m.CurveBits+7)/8)
	}
	return method.Sign(text, r.Signer) // EdDSA
}

func (r remote) digest(hash crypto.Hash, opts crypto.SignerOpts, text string) ([]byte, error) {
	h := hash.New()
	_, _ = h.Write([]byte(text))
	return r.Sign(rand.Reader, h.Sum(nil), opts)
}

// flat returns a signature of ECDSA as RFC 7518, section 3.4, has it, of one in DER.
func flat(der []byte, size int) ([]byte, error) {
	var signature struct{ R, S *big.Int }
	rest, err := asn1.Unmarshal(der, &signature)
	switch {
	case err != nil:
		return nil, fmt.Errorf("the signature of the crypto.Signer: %w", err)
	case len(rest) > 0 || signature.R.Sign() <= 0 || signature.S.Sign() <= 0 || max(signature.R.BitLen(), signature.S.BitLen()) > 8*size:
		return nil, errors.New("the signature of the crypto.Signer is none of its curve")
	}
	both := make([]byte, 2*size)
	signature.R.FillBytes(both[:size])
	signature.S.FillBytes(both[size:])
	return both, nil
}
