import { describe, expect, it } from 'vitest'
import { body, check, fresh, good } from './labels'

describe('a call', () => {
  it('needs solved and a level once the requester was reached', () => {
    expect(Object.keys(check(fresh())).sort()).toEqual(['level', 'solved'])
    expect(check({ ...fresh(), result: 'no_answer' })).toEqual({})
  })

  it('needs words when the requester is not content, and says what follows', () => {
    const v = { ...fresh(), solved: false, level: 4 }
    expect(good(v)).toBe(false)
    expect(Object.keys(check(v))).toEqual(['words'])
    expect(body({ ...v, words: ' 未到账 ', then: 'close' })).toMatchObject({ words: '未到账', then: 'close', level: 4 })
  })

  it('sends no judgement of a requester who was not reached', () => {
    expect(body({ ...fresh(), result: 'refused', solved: true, level: 5 })).toEqual({
      result: 'refused',
      words: undefined,
      nextAt: undefined,
    })
  })
})
