import { api, call } from '@/api/client'
import type { components } from '@/api/schema'

type Schemas = components['schemas']

export type ProductCard = Schemas['CatalogCard']
export type ProductDetail = Schemas['CatalogDetail']

/** What narrows the list; empty means everything. */
export interface ProductFilter {
  q: string
  kind: string
  financing: string
  amount: string
  sort: string
}

/** The public products, page by page. */
export const listProducts = (filter: ProductFilter, cursor: string | undefined) =>
  call(
    api.GET('/api/products', {
      params: {
        query: {
          q: filter.q || undefined,
          kind: filter.kind || undefined,
          financing: filter.financing || undefined,
          amount: filter.amount || undefined,
          sort: (filter.sort || undefined) as 'new' | 'hot' | 'rate' | 'rating' | 'match' | undefined,
          cursor,
          limit: 20,
        },
      },
    }),
  )

export type Suitable = Schemas['CatalogRecommended']

/** What suits the company, nearly suits it, and may. */
export const listSuitable = () => call(api.GET('/api/suitable-products'))

export const getProduct = (id: number) => call(api.GET('/api/products/{id}', { params: { path: { id } } }))
