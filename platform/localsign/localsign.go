// Package localsign signs with keys of the installation: SM2 over SM3 with a self-issued certificate. It is what an installation
// has that bought no signing service; whoever verifies needs the certificate and nothing of ours.
//
// A key is made when none is there or the one in use is near its end; the older ones stay, so that what they signed is verified. The
// private keys lie sealed under the installation's root key.
package localsign

import (
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/emmansun/gmsm/sm2"
	"github.com/emmansun/gmsm/sm3"
	"github.com/emmansun/gmsm/smx509"
	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/clock"
	"github.com/huiqi/huiqi/platform/database"
	"github.com/huiqi/huiqi/platform/fault"
	"github.com/huiqi/huiqi/platform/secret"
)

// Algorithm is how signatures are made.
const Algorithm = "SM2-SM3"

// ErrBad is returned for a signature that is not of the content and the certificate.
var ErrBad = errors.New("localsign: the signature does not fit")

const (
	years = 5
	// renew is how long before its end a key signs no more.
	renew = 90 * 24 * time.Hour
)

// Signature is a signature with what is needed to verify it.
type Signature struct {
	Algorithm   string `json:"algorithm"`
	KeyID       string `json:"keyId"`
	Certificate string `json:"certificate"` // DER in base64
	Value       string `json:"value"`       // ASN.1 in base64
}

type key struct {
	bun.BaseModel `bun:"table:signing_keys,alias:k"`

	ID          string    `bun:"id,pk"` // of the certificate: the beginning of its SM3
	Slot        string    `bun:"slot,notnull"`
	Certificate string    `bun:"certificate,notnull,type:text"`
	Sealed      string    `bun:"sealed,notnull,type:text"`
	MadeAt      time.Time `bun:"made_at,notnull"`
	EndsAt      time.Time `bun:"ends_at,notnull"`
}

func place(id string) string { return "localsign.key:" + id }

// Signer signs with the installation's key.
type Signer struct {
	DB    *database.DB
	Clock clock.Clock
	Box   *secret.Box
	// Name is whom the certificate names.
	Name string
}

// Sign signs the content. The same content under the same key has the same signature.
func (s *Signer) Sign(ctx context.Context, content []byte) (Signature, error) {
	k, err := s.current(ctx)
	if err != nil {
		return Signature{}, err
	}
	der, err := s.Box.Open(k.Sealed, place(k.ID))
	if err != nil {
		return Signature{}, fmt.Errorf("open the signing key %s: %w", k.ID, err)
	}
	private, err := smx509.ParseSM2PrivateKey(der)
	if err != nil {
		return Signature{}, err
	}
	digest, err := sm2.CalculateSM2Hash(&private.PublicKey, content, nil)
	if err != nil {
		return Signature{}, err
	}
	value, err := sm2.SignDeterministic(private, digest, nil)
	if err != nil {
		return Signature{}, err
	}
	return Signature{Algorithm: Algorithm, KeyID: k.ID, Certificate: k.Certificate, Value: base64.StdEncoding.EncodeToString(value)}, nil
}

// current is the key in use; one is made when there is none. Of two processes that make one at once the first is taken.
func (s *Signer) current(ctx context.Context) (*key, error) {
	now := s.Clock.Now()
	k := new(key)
	err := database.Found(s.DB.Read().NewSelect().Model(k).Where("k.ends_at > ?", now.Add(renew)).OrderExpr("k.made_at DESC, k.id").Limit(1).Scan(ctx))
	if fault.KindOf(err) != fault.NotFound {
		return k, err
	}
	made, err := s.make(now)
	if err != nil {
		return nil, err
	}
	err = s.DB.RunInTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		if _, err := tx.NewInsert().Model(made).On("CONFLICT DO NOTHING").Exec(ctx); err != nil {
			return err
		}
		*k = key{}
		return tx.NewSelect().Model(k).Where("k.slot = ?", made.Slot).Scan(ctx)
	})
	return k, err
}

func (s *Signer) make(now time.Time) (*key, error) {
	private, err := sm2.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, err
	}
	ends := now.AddDate(years, 0, 0).UTC()
	template := &smx509.Certificate{SerialNumber: serial, Subject: pkix.Name{CommonName: s.Name, Organization: []string{s.Name}}, NotBefore: now.Add(-time.Hour).UTC(), NotAfter: ends,
		KeyUsage: smx509.KeyUsage(1), BasicConstraintsValid: true, SignatureAlgorithm: smx509.SM2WithSM3} // 1 is digital signature
	der, err := smx509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		return nil, fmt.Errorf("issue a certificate: %w", err)
	}
	plain, err := smx509.MarshalSM2PrivateKey(private)
	if err != nil {
		return nil, err
	}
	sum := sm3.Sum(der)
	id := hex.EncodeToString(sum[:8])
	return &key{ID: id, Slot: now.UTC().Format("2006-01"), Certificate: base64.StdEncoding.EncodeToString(der), Sealed: s.Box.Seal(plain, place(id)), MadeAt: now, EndsAt: ends}, nil
}

// Verify returns nil when the signature is of the content, by its own certificate, which is intact; ErrBad otherwise. It asks
// nobody. Known tells whether the certificate is the installation's.
func Verify(content []byte, sig Signature) error {
	der, err := base64.StdEncoding.DecodeString(sig.Certificate)
	if err != nil || sig.Algorithm != Algorithm {
		return ErrBad
	}
	c, err := smx509.ParseCertificate(der)
	if err != nil {
		return ErrBad
	}
	public, ok := c.PublicKey.(*ecdsa.PublicKey)
	value, err := base64.StdEncoding.DecodeString(sig.Value)
	sum := sm3.Sum(der)
	if !ok || err != nil || hex.EncodeToString(sum[:8]) != sig.KeyID || c.CheckSignature(smx509.SM2WithSM3, c.RawTBSCertificate, c.Signature) != nil || !sm2.VerifyASN1WithSM2(public, nil, content, value) {
		return ErrBad
	}
	return nil
}

// Known reports whether the certificate of a signature was issued here.
func (s *Signer) Known(ctx context.Context, db bun.IDB, sig Signature) (bool, error) {
	return db.NewSelect().Model((*key)(nil)).Where("k.id = ? AND k.certificate = ?", sig.KeyID, sig.Certificate).Exists(ctx)
}

// Sealed are the columns of the package that only open with a key.
func Sealed() secret.Keepers {
	return secret.Keepers{Columns: []secret.Column{{Table: "signing_keys", Key: []string{"id"}, Name: "sealed", Place: func(r secret.Row) string { return place(r.Text("id")) }}}}
}

type key20261130 struct {
	bun.BaseModel `bun:"table:signing_keys"`

	ID          string    `bun:"id,pk"`
	Slot        string    `bun:"slot,notnull"`
	Certificate string    `bun:"certificate,notnull,type:text"`
	Sealed      string    `bun:"sealed,notnull,type:text"`
	MadeAt      time.Time `bun:"made_at,notnull"`
	EndsAt      time.Time `bun:"ends_at,notnull"`
}

// Migrations are the tables of the package.
var Migrations = []database.Migration{{
	ID: "20261130060200_signing_keys",
	Up: func(ctx context.Context, tx bun.Tx) error {
		if err := database.CreateTables(ctx, tx, (*key20261130)(nil)); err != nil {
			return err
		}
		return database.Exec(ctx, tx, "CREATE UNIQUE INDEX signing_keys_slot ON signing_keys (slot)")
	},
}}
