import { api, data, idempotent, type Schemas } from '@/api/client'

export type ProductItem = Schemas['CatalogItem']
export type ProductStatus = ProductItem['status']
export type Product = Schemas['CatalogView']
export type ProductAction = Product['actions'][number]
export type Content = Schemas['CatalogContent']
export type Change = Schemas['CatalogChange']

export interface ProductQuery {
  status?: string[]
  kind?: string
  q?: string
  shown?: boolean
  /** Conditions on the fields administrators define, one a line. */
  extra?: string
  /** What waits for the person's own work, oldest first. */
  waiting?: boolean
  cursor?: string
  limit?: number
}

/** The products the person may see: an institution's own, or all for staff. */
export const listProducts = (
  { status, kind, q, shown, extra, waiting, cursor, limit }: ProductQuery,
  signal?: AbortSignal,
) =>
  data(
    api.GET('/api/managed-products', {
      params: {
        query: {
          // one value with commas, as the server reads lists
          status: status?.length ? [status.join(',')] : undefined,
          kind: kind || undefined,
          q: q || undefined,
          shown: shown || undefined,
          extra: extra || undefined,
          waiting: waiting || undefined,
          cursor,
          limit,
        },
      },
      signal,
    }),
  )

export const getProduct = (id: string, signal?: AbortSignal) =>
  data(api.GET('/api/managed-products/{id}', { params: { path: { id: Number(id) } }, signal }))

export const draftProduct = (body: Content, key: string) =>
  data(api.POST('/api/managed-products', { body, ...idempotent(key) }))

export const editProduct = (id: number, body: Schemas['ProductEditInputBody'], key: string) =>
  data(api.POST('/api/managed-products/{id}/edit', { params: { path: { id } }, body, ...idempotent(key) }))

type Fields<B extends keyof Schemas> = Omit<Schemas[B], 'version'>

/** What each action sends beside the version; editing has a form of its own. */
export interface ActionBody {
  submit: object
  withdraw: object
  revise: object
  pass: Fields<'ProductPassInputBody'>
  return: Fields<'ProductReturnInputBody'>
  'take-down': Fields<'ProductReasonInputBody'>
  unlist: Fields<'ProductReasonInputBody'>
  undo: Fields<'ProductReasonInputBody'>
  recommend: Fields<'ProductRecommendInputBody'>
}

export const listReturnReasons = async () => (await data(api.GET('/api/product-return-reasons'))).items

/** What a step is taken with: the product as it was last seen. */
export type Seen = Pick<Product, 'id' | 'version'>

/** Takes one step with a product. */
export const act = <A extends keyof ActionBody>(product: Seen, action: A, body: ActionBody[A], key: string) =>
  data(
    // The bodies differ by action; ActionBody has matched the two already.
    api.POST(`/api/managed-products/{id}/${action}` as '/api/managed-products/{id}/submit', {
      params: { path: { id: product.id } },
      body: { version: product.version, ...body },
      ...idempotent(key),
    }),
  )

export type Batch = Schemas['CatalogBatchView']

/** Begins to pass several products together; the server draws which must be looked at. */
export const openBatch = (products: Seen[], key: string) =>
  data(
    api.POST('/api/product-batches', {
      body: { products: products.map(({ id, version }) => ({ id, version })) },
      ...idempotent(key),
    }),
  )

export const checkBatch = (id: number, body: Schemas['ProductCheckInputBody']) =>
  data(api.POST('/api/product-batches/{id}/checks', { params: { path: { id } }, body }))

export const passBatch = (id: number) => data(api.POST('/api/product-batches/{id}/pass', { params: { path: { id } } }))

export type SuitsView = Schemas['CatalogSuitsView']
export type Suits = Schemas['CatalogSuits']

/** Whom a product suits: what recommendations to companies go by. */
export const getSuits = (id: string, signal?: AbortSignal) =>
  data(api.GET('/api/managed-products/{id}/suits', { params: { path: { id: Number(id) } }, signal }))

export const listSuitOptions = () => data(api.GET('/api/product-suit-options'))

export const saveSuits = (id: number, version: number, suits: Suits, reason: string, key: string) =>
  data(
    api.PUT('/api/managed-products/{id}/suits', {
      params: { path: { id } },
      body: { version, suits, reason },
      ...idempotent(key),
    }),
  )
