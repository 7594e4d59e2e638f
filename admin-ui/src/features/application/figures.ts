/** Fen of an amount in units of ten thousand yuan. */
export const fenOf = (wan: number): number => Math.round(wan * 1_000_000)

/** Today in Beijing, 2026-11-30. */
export const today = (): string => new Date(Date.now() + 8 * 3_600_000).toISOString().slice(0, 10)
