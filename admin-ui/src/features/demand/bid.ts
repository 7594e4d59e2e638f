import type { Bid, HallView } from './api'

const trimmed = (n: number, places: number) => String(Number(n.toFixed(places)))

/** The form of a quote: what stands, or a new one with the only product chosen. */
export function bidOf(v: HallView): Bid {
  const q = v.quote
  if (q?.state === 'live')
    return {
      version: q.version,
      productId: q.productId,
      price: v.lends ? '' : trimmed(q.price / 100, 2),
      days: q.days ? String(q.days) : '',
      amount: q.amount ? trimmed(q.amount / 1_000_000, 6) : '',
      rate: v.lends ? trimmed(q.rate / 100, 2) : '',
      term: q.term ? String(q.term) : '',
      text: q.text,
      validUntil: q.validUntil,
      fileIds: (q.files ?? []).map((f) => f.id),
    }
  return {
    version: q?.version ?? 0,
    productId: v.products?.length === 1 ? v.products[0]!.id : 0,
    price: '',
    days: '',
    amount: '',
    rate: '',
    term: v.lends && v.term ? String(v.term) : '',
    text: '',
    validUntil: v.pickUntil,
    fileIds: [],
  }
}
