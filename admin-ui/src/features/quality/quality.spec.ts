import { describe, expect, it } from 'vitest'
import type { Card } from './api'
import { complaint, fullMarks, total } from './labels'

const card = {
  id: 1,
  name: '通用',
  by: '',
  at: '',
  items: [
    { name: '服务用语', points: 40, hint: '' },
    { name: '记录完整', points: 60, hint: '' },
  ],
  fatal: ['泄露来电人信息'],
} as Card

describe('marks', () => {
  it('begin full and add up', () => {
    const marks = fullMarks(card)
    expect(total(marks, [])).toBe(100)
    expect(complaint(card, marks, [], '')).toBe('')
  })

  it('a fatal fault costs all and wants its ground', () => {
    const marks = fullMarks(card)
    expect(total(marks, ['泄露来电人信息'])).toBe(0)
    expect(complaint(card, marks, ['泄露来电人信息'], '有')).toContain('至少 5 个字')
    expect(complaint(card, marks, ['泄露来电人信息'], '录音第三分钟')).toBe('')
  })

  it('points that are taken off want a reason', () => {
    const marks = fullMarks(card)
    marks[1]!.points = 50
    expect(complaint(card, marks, [], '')).toBe('请填写“记录完整”的扣分原因')
    marks[1]!.note = '缺地点'
    expect(complaint(card, marks, [], '')).toBe('')
    marks[1]!.points = 61
    expect(complaint(card, marks, [], '')).toContain('0 至 60')
    marks[1]!.points = 1.5
    expect(complaint(card, marks, [], '')).toContain('整数')
  })
})
