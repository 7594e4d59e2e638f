import { flushPromises, mount } from '@vue/test-utils'
import { createPinia } from 'pinia'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { createMemoryHistory, createRouter } from 'vue-router'
import * as api from './api'
import BackupList from './BackupList.vue'
import { bytes, causeText, comparison, moving, percent, verdict } from './labels'

const done: api.Backup = {
  id: 2,
  state: 'done',
  cause: 'schedule',
  attempt: 1,
  askedAt: '2026-11-27T18:30:00Z',
  askedBy: '系统',
  notBefore: '2026-11-27T18:30:00Z',
  startedAt: '2026-11-27T18:30:00Z',
  endedAt: '2026-11-27T18:32:00Z',
  stage: '',
  stageDone: 0,
  stageTotal: 0,
  set: '20261128-023000',
  size: 5 * 1024 * 1024,
  rows: 120_000,
  files: 30,
  filesNew: 2,
  filesMissing: 0,
  filesDamaged: 0,
  verifiedAt: '2026-11-27T18:32:00Z',
  copyFault: '',
  fault: '',
  kept: '最新',
  present: true,
}
const standing: api.Standing = {
  recipients: 1,
  target: '/data/backups',
  copyTo: '',
  cron: '30 2 * * *',
  retention: { daily: 7, weekly: 4, monthly: 12 } as never,
  last: {
    configured: true,
    fault: '',
    copyFault: '',
    lost: 0,
    running: false,
    verifiedAt: '2026-11-27T18:30:00Z',
  } as never,
  sets: [],
  broken: [],
  free: 20 * 1024 ** 3,
  canRun: true,
}

// Element Plus takes its time on a busy machine.
vi.setConfig({ testTimeout: 30_000 })

async function open() {
  const router = createRouter({
    history: createMemoryHistory(),
    routes: [{ path: '/', name: 'backups', component: { template: '<i/>' } }],
  })
  await router.push('/')
  const wrapper = mount(BackupList, { global: { plugins: [router, createPinia()] }, attachTo: document.body })
  await flushPromises()
  return wrapper
}

function press(text: string): void {
  const button = [...document.querySelectorAll('button')].filter((b) => b.textContent?.trim() === text).at(-1)
  if (!button) throw new Error(`no button ${text}`)
  button.click()
}

afterEach(() => {
  document.body.innerHTML = ''
  vi.restoreAllMocks()
  vi.useRealTimers()
})

describe('labels', () => {
  it('reads a run', () => {
    expect(comparison(done)).toBe('恢复后逐行比对一致')
    expect(comparison({ ...done, filesMissing: 2, filesDamaged: 1 })).toBe('数据一致，附件缺失或损坏 3 个')
    expect(causeText({ cause: 'manual', askedBy: '王芳', attempt: 2 })).toBe('王芳立即备份，第 2 次尝试')
    expect([moving(done), moving({ state: 'verifying' })]).toEqual([false, true])
    expect([percent({ stageDone: 1, stageTotal: 3 }), percent({ stageDone: 1, stageTotal: 0 })]).toEqual([33, 0])
    expect([bytes(2 * 1024 ** 3), bytes(1024)]).toEqual(['2.0 GB', '1 KB'])
  })
  it('says how backups stand', () => {
    const at = new Date('2026-11-28T00:30:00Z').getTime()
    const last = standing.last
    expect(verdict(standing, at)).toEqual({ type: 'success', text: '6 小时前的备份已恢复验证通过' })
    expect(verdict(standing, at + 48 * 3_600_000).type).toBe('warning')
    expect(verdict({ ...standing, last: { ...last, fault: '磁盘已满' } }, at).text).toContain('磁盘已满')
    expect(verdict({ ...standing, last: { ...last, configured: false } }, at).type).toBe('error')
    expect(verdict({ ...standing, last: { ...last, verifiedAt: undefined } }, at).type).toBe('warning')
  })
})

describe('BackupList', () => {
  it('lists the sets with their comparison and follows one that is made', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    vi.spyOn(api, 'getStanding').mockResolvedValue(standing)
    const list = vi
      .spyOn(api, 'listBackups')
      .mockResolvedValueOnce({ items: [done] })
      .mockResolvedValueOnce({
        items: [{ ...done, id: 3, state: 'verifying', stage: '恢复并比对', stageDone: 4, stageTotal: 10 }, done],
      })
      .mockResolvedValue({ items: [{ ...done, id: 3 }, done] })
    const ask = vi.spyOn(api, 'askBackup').mockResolvedValue({ ...done, id: 3, state: 'waiting' })
    const wrapper = await open()
    await vi.waitFor(() => expect(wrapper.text()).toContain('恢复后逐行比对一致'))
    expect(wrapper.text()).toContain('备份位置剩余 20.0 GB')
    press('立即备份')
    await flushPromises()
    press('立即备份') // in the question
    await flushPromises()
    expect(ask).toHaveBeenCalledOnce()
    await vi.waitFor(() => expect(wrapper.text()).toContain('恢复并比对'))
    expect(wrapper.find('[aria-label="进度 40%"]').exists()).toBe(true)
    await vi.advanceTimersByTimeAsync(2000)
    await flushPromises()
    expect(list).toHaveBeenCalledTimes(3)
    await vi.waitFor(() => expect(wrapper.text()).not.toContain('恢复并比对'))
  })
  it('does not offer a backup to who may only look', async () => {
    vi.spyOn(api, 'getStanding').mockResolvedValue({ ...standing, canRun: false })
    vi.spyOn(api, 'listBackups').mockResolvedValue({ items: [done] })
    const wrapper = await open()
    await vi.waitFor(() => expect(wrapper.text()).toContain('验证通过'))
    expect(wrapper.findAll('button').map((b) => b.text())).not.toContain('立即备份')
  })
})
