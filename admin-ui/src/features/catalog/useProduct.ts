import type { MaybeRefOrGetter } from 'vue'
import { useDetail } from '@/composables/useDetail'
import { act, getProduct, type ActionBody, type Product } from './api'

/** One product and the steps that may be taken with it. */
export function useProduct(id: MaybeRefOrGetter<string | undefined>) {
  const detail = useDetail<Product>(id, getProduct)

  /** True when the server took the step; the product is then loaded anew. */
  function take<A extends keyof ActionBody>(action: A, body: ActionBody[A], done: string): Promise<boolean> {
    const product = detail.data
    if (!product) return Promise.resolve(false)
    return detail.run(action, (key) => act(product, action, body, key), done)
  }

  return { detail, take }
}

export type Take = ReturnType<typeof useProduct>['take']
