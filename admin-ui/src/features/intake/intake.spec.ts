import { describe, expect, it } from 'vitest'
import { check, checkKey } from './checks'

const ticket = { type: '010101', title: '欠薪', body: '三个月', contactName: '王芳', phone: '', enterpriseName: '' }

describe('a ticket made of a message', () => {
  it('needs no phone when it came by mail', () => {
    expect(check(ticket, 'mail')).toEqual({})
    expect(check(ticket, 'open311')).toEqual({ phone: '请填写联系电话' })
  })
  it('says everything that is missing', () => {
    expect(Object.keys(check({ ...ticket, type: '', title: ' ', body: '', contactName: '' }, 'mail'))).toEqual([
      'type',
      'title',
      'body',
      'contactName',
    ])
  })
})

describe('a key', () => {
  it('needs a name and limits within bounds', () => {
    expect(checkKey({ partner: '城市管家', perMinute: 60, perDay: 2000 })).toEqual({})
    expect(Object.keys(checkKey({ partner: '城', perMinute: 0, perDay: 2_000_000 }))).toEqual([
      'partner',
      'perMinute',
      'perDay',
    ])
  })
})
