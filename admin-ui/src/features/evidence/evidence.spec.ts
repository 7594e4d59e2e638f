import { mount } from '@vue/test-utils'
import ElementPlus from 'element-plus'
import { describe, expect, it } from 'vitest'
import type { Item } from './api'
import EvidenceField from './EvidenceField.vue'
import { shownBelow, useShown } from './useShown'

type Ticket = Parameters<typeof shownBelow>[0]

const hop = (id: number, parentId: number, lead = false, round = 1) =>
  ({ id, parentId, lead, round }) as unknown as Ticket['hops'][number]
const photo = (hopId: number, state = 'given') => ({ item: 'scene', hopId, fileId: 100 + hopId, state })
const ticket = {
  hops: [hop(1, 0, true), hop(2, 0), hop(3, 1), hop(4, 3), hop(9, 0, false, 2)],
  evidence: { items: [], given: [photo(2), photo(3), photo(4), photo(4, 'invalid'), photo(9), photo(0)] },
} as unknown as Ticket

describe('what units below have shown', () => {
  it('counts for the reply all parts of the round, however far down, without what was found invalid', () => {
    expect(shownBelow(ticket, 0)).toEqual({ scene: 3 })
  })
  it('counts for a part only what lies under it', () => {
    expect(shownBelow(ticket, 3)).toEqual({ scene: 1 })
    expect(shownBelow(ticket, 4)).toEqual({})
    expect(shownBelow(ticket, 2)).toEqual({})
  })
  it('fills an item up', () => {
    const item: Item = { code: 'scene', name: '现场照片', kind: 'image', min: 3, required: true }
    const alone = useShown(
      () => [item],
      () => ({}),
    )
    expect(alone.missing.value['scene']).toContain('至少 3 个')
    const both = useShown(
      () => [item],
      () => shownBelow(ticket, 0),
    )
    expect(both.missing.value).toEqual({})
    both.change('scene', { item: 'scene', fileIds: [7] }, true)
    expect(both.missing.value['scene']).toContain('还在上传')
  })
})

it('says of an item which files it takes', () => {
  const takes = (kind: Item['kind']) =>
    mount(EvidenceField, {
      props: { item: { code: 'x', name: '材料', kind, min: 1, required: true }, complaint: '' },
      global: { plugins: [ElementPlus] },
    })
      .get('input[type="file"]')
      .attributes('accept')
  expect(takes('image')).toBe('.jpg,.jpeg,.png')
  expect(takes('document')).toBe('.pdf,.docx,.xlsx')
  expect(takes('any')).toBe('.jpg,.jpeg,.png,.pdf,.docx,.xlsx')
})
