package contract

import (
	"context"
	"encoding/json"

	"github.com/huiqi/huiqi/platform/localsign"
)

// LocalProvider names signatures of the installation's own key.
const LocalProvider = "local"

// Local is the Signer of an installation that bought no signing service: its own SM2 key with a self-issued certificate. It proves
// that the platform saw who confirmed what and when; it does not make the person's own key sign.
type Local struct{ Signer *localsign.Signer }

// Sign signs the payload. The same payload has the same signature, so nothing is kept of the id.
func (l Local) Sign(ctx context.Context, _ string, payload []byte) (Signed, error) {
	sig, err := l.Signer.Sign(ctx, payload)
	if err != nil {
		return Signed{}, err
	}
	b, err := json.Marshal(sig)
	return Signed{LocalProvider, string(b)}, err
}

// Verify returns nil when the proof is of the payload and by a certificate of this installation.
func (l Local) Verify(ctx context.Context, payload []byte, s Signed) error {
	var sig localsign.Signature
	if s.Provider != LocalProvider || json.Unmarshal([]byte(s.Proof), &sig) != nil {
		return localsign.ErrBad
	}
	if err := localsign.Verify(payload, sig); err != nil {
		return err
	}
	known, err := l.Signer.Known(ctx, l.Signer.DB.Read(), sig)
	if err == nil && !known {
		err = localsign.ErrBad
	}
	return err
}
