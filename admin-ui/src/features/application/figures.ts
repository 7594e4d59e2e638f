/** Fen of an amount in units of ten thousand yuan. */
export const fenOf = (wan: number): number => Math.round(wan * 1_000_000)
