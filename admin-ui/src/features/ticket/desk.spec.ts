import { describe, expect, it } from 'vitest'
import type { TicketType } from './api'
import { matters, titleOf } from './matter'
import { checkCall, emptyCall } from './useDesk'

const type = (code: string, name: string, initials: string) => ({ code, name, initials }) as TicketType
const types = [
  type('0201', '劳动用工', 'ldyg'),
  type('0202', '用工补贴', 'ygbt'),
  type('0301', '供电故障', 'gdgz'),
  type('0302', '电价政策', 'djzc'),
]

describe('types are found', () => {
  const names = (typed: string) => matters(types, typed).map((t) => t.name)

  it('by first letters, the beginning before the middle', () => {
    expect(names('yg')).toEqual(['用工补贴', '劳动用工'])
    expect(names('LDYG')).toEqual(['劳动用工'])
  })

  it('by words and by code', () => {
    expect(names('电')).toEqual(['电价政策', '供电故障'])
    expect(names('0301')).toEqual(['供电故障'])
    expect(names('没有')).toEqual([])
    expect(names(' ')).toHaveLength(4)
  })
})

describe('a call', () => {
  const call = (with_: Partial<ReturnType<typeof emptyCall>>) => ({
    ...emptyCall(),
    phone: '13800138000',
    contactName: '王芳',
    type: '0201',
    body: '想了解补贴。还有别的。',
    ...with_,
  })

  it('takes its title from the first sentence', () => {
    expect(titleOf('想了解补贴。还有别的。')).toBe('想了解补贴')
    expect(titleOf('𠮷'.repeat(40))).toBe('𠮷'.repeat(30))
    expect(checkCall(call({}), 'queue')).toEqual({})
  })

  it('needs an answer to be closed and a unit to be dispatched', () => {
    expect(Object.keys(checkCall(call({}), 'answer'))).toEqual(['answer'])
    expect(Object.keys(checkCall(call({}), 'dispatch'))).toEqual(['unitId'])
    expect(checkCall(call({ unitId: 3 }), 'dispatch')).toEqual({})
  })

  it('needs a word when the caller is not satisfied', () => {
    expect(Object.keys(checkCall(call({ answer: '可以申请', verdict: 'unsolved' }), 'answer'))).toEqual(['note'])
    expect(checkCall(call({ answer: '可以申请', verdict: 'unsolved', note: '要上门' }), 'answer')).toEqual({})
  })
})
