package secret

import (
	"crypto/cipher"
	"crypto/rand"
	"errors"
)

// dataKeySize is the mark of the suite and the root of the cipher.
const dataKeySize = 1 + RootSize

// DataKey draws a key for one piece of data too large to be sealed in a row, of the suite of the box. Seal the key and keep
// it in a row: when the root keys change the key is sealed anew and the data stays as it is.
func (b *Box) DataKey() []byte {
	key := make([]byte, dataKeySize)
	_, suite := b.Current()
	key[0] = suite.mark()
	_, _ = rand.Read(key[1:])
	return key
}

// DataCipher is the cipher of a key that DataKey drew, on every installation and whatever the keys of its box. Its nonces
// have 12 bytes; the caller uses none twice. It returns an error for anything that is no such key.
func DataCipher(key []byte) (cipher.AEAD, error) {
	if len(key) != dataKeySize {
		return nil, errors.New("secret: no data key")
	}
	for _, s := range []Suite{GM, Intl} {
		if s.mark() == key[0] {
			return newAEAD(s, key[1:])
		}
	}
	return nil, errors.New("secret: a data key of an unknown suite")
}
