package database

import (
	"context"
	"database/sql"
	"errors"
	"strings"

	"github.com/uptrace/bun"

	"github.com/huiqi/huiqi/platform/tracing"
)

// system is the database's name in spans, of OpenTelemetry's list.
func (k Kind) system() string {
	if k == Postgres {
		return "postgresql"
	}
	return "sqlite"
}

// statement begins the span of a query of fixed text, which holds no values.
func statement(ctx context.Context, k Kind, query string) (context.Context, tracing.Span) {
	return tracing.Part(ctx, verb(query), "db.system.name", k.system(), "db.query.text", query)
}

func verb(query string) string {
	word, _, _ := strings.Cut(strings.TrimSpace(query), " ")
	return strings.ToUpper(word)
}

// witness makes spans of what bun asks. bun writes values into its text, so the span has the table only.
type witness struct{ kind Kind }

type witnessKey struct{}

// BeforeQuery begins the span.
func (w witness) BeforeQuery(ctx context.Context, e *bun.QueryEvent) context.Context {
	about := []string{"db.system.name", w.kind.system()}
	if e.IQuery != nil {
		about = append(about, "db.collection.name", e.IQuery.GetTableName())
	}
	ctx, span := tracing.Part(ctx, e.Operation(), about...)
	if span == (tracing.Span{}) {
		return ctx
	}
	return context.WithValue(ctx, witnessKey{}, span)
}

// AfterQuery ends it.
func (w witness) AfterQuery(ctx context.Context, e *bun.QueryEvent) {
	span, _ := ctx.Value(witnessKey{}).(tracing.Span)
	err := e.Err
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	span.End(err)
}

// witnessed is the pool with its queries told of, where somebody listens.
func witnessed(pool *bun.DB, k Kind) *bun.DB {
	if !tracing.On() {
		return pool
	}
	return pool.WithQueryHook(witness{k})
}
