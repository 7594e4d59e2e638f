import { flushPromises, mount } from '@vue/test-utils'
import { createPinia } from 'pinia'
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { Component } from 'vue'
import { createMemoryHistory, createRouter, type RouteRecordRaw } from 'vue-router'
import { ApiError } from '@/api/client'
import * as api from './api'
import HealthPage from './HealthPage.vue'
import JobList from './JobList.vue'
import { groupedChecks, limitsFault, limitsText, took, triggerText } from './labels'
import QueuePage from './QueuePage.vue'
import ReportPage from './ReportPage.vue'
import RunList from './RunList.vue'
import TaskList from './TaskList.vue'

const run: api.Run = {
  id: 7,
  task: 'backup.daily',
  title: '每日备份',
  state: 'failed',
  trigger: 'person',
  askedBy: '王芳',
  tick: '2026-11-28T02:00:00Z',
  startedAt: '2026-11-28T02:00:00Z',
  endedAt: '2026-11-28T02:00:04Z',
  tookMs: 4200,
  attempts: 1,
  process: 'app/12',
  note: '',
  error: '磁盘已满',
  failure: '数据没有备份，请尽快处理。',
  canRetry: true,
}
const task: api.Task = {
  name: 'backup.daily',
  title: '每日备份',
  when: '每天 02:30',
  next: '2026-11-28T18:30:00Z',
  pausedBy: '',
  pausedReason: '',
  last: run,
}
const check: api.Check = {
  code: 'backup',
  group: '数据安全',
  title: '备份',
  state: 'bad',
  text: '最近一次备份未完成',
  value: 0,
  unit: '小时',
  less: false,
  warn: 26,
  bad: 50,
  limitsBy: '',
  advice: '请在“备份”查看原因。',
}
const incident: api.Incident = {
  id: 3,
  code: 'backup',
  title: '备份',
  text: '最近一次备份未完成',
  openedAt: '2026-11-28T02:00:00Z',
  alarms: 2,
  alarmedAt: '2026-11-28T06:00:00Z',
  knownBy: '',
  knownNote: '',
  lasted: '4 小时',
}
const health: api.Health = {
  state: 'bad',
  checkedAt: '2026-11-28T06:00:00Z',
  stale: false,
  checks: [
    check,
    {
      ...check,
      code: 'disk',
      group: '运行环境',
      title: '磁盘',
      state: 'normal',
      less: true,
      unit: '%',
      warn: 15,
      bad: 5,
    },
  ],
  incidents: [incident],
  repeat: '4 小时',
  canManage: true,
  canKnow: true,
}
const job: api.Job = {
  id: 9,
  kind: 'message.sms',
  title: '发送短信',
  state: 'discarded',
  args: '{"id":4}',
  attempt: 25,
  most: 25,
  createdAt: '2026-11-28T02:00:00Z',
  error: '连接超时',
}
const queues: api.Queues = {
  kinds: [
    {
      kind: 'message.sms',
      title: '发送短信',
      queue: 'delivery',
      waiting: 12,
      scheduled: 0,
      running: 1,
      retrying: 2,
      dead: 3,
      age: '5 分钟',
    },
  ],
  backlogs: [
    {
      code: 'pushes',
      title: '未送达的推送',
      page: '/exchange/deliveries',
      waiting: 4,
      stuck: 1,
      age: '2 小时',
      note: '',
      fault: '',
    },
    {
      code: 'files',
      title: '不能下载的附件',
      page: '',
      waiting: 0,
      stuck: 0,
      age: '',
      note: '',
      fault: '暂时无法统计，请稍后刷新',
    },
  ],
  canManage: true,
}

async function open(component: Component, at = '/') {
  const page = { template: '<i/>' }
  const names = ['health', 'incidents', 'tasks', 'task-runs', 'queues', 'failed-jobs', 'health-reports']
  const router = createRouter({
    history: createMemoryHistory(),
    routes: names
      .map((name): RouteRecordRaw => ({ path: `/${name}`, name, component: page }))
      .concat([
        { path: '/', name: 'home', component: page },
        { path: '/reports/:id', name: 'health-report', component: page },
        { path: '/exchange/deliveries', name: 'deliveries', component: page },
        { path: '/audit', name: 'audit', component: page, meta: { permissions: ['audit.view'] } },
      ]),
  })
  await router.push(at)
  const wrapper = mount(component, { global: { plugins: [router, createPinia()] }, attachTo: document.body })
  await flushPromises()
  return { wrapper, router }
}

function press(text: string): void {
  const button = [...document.querySelectorAll('button')].filter((b) => b.textContent?.trim() === text).at(-1)
  if (!button) throw new Error(`no button ${text}`)
  button.click()
}

// Element Plus takes its time on a busy machine.
vi.setConfig({ testTimeout: 30_000 })

const refused = new ApiError({ status: 403, code: 'FORBIDDEN', message: '您没有权限' })

afterEach(() => {
  document.body.innerHTML = ''
  vi.restoreAllMocks()
  vi.unstubAllGlobals()
})

describe('labels', () => {
  it('says what asked for a run and how long it took', () => {
    expect(triggerText(run)).toBe('王芳立即执行')
    expect(triggerText({ trigger: 'clock', askedBy: '' })).toBe('按计划')
    expect([380, 4200, 185_000].map(took)).toEqual(['380 毫秒', '4.2 秒', '3 分 5 秒'])
  })
  it('reads limits in both directions', () => {
    expect(limitsText(check)).toBe('≥ 26 小时注意，≥ 50 小时异常')
    expect(limitsText({ ...check, less: true, unit: '%', warn: 15, bad: 5 })).toBe('≤ 15 %注意，≤ 5 %异常')
    expect(limitsText({ ...check, unit: '' })).toBe('')
  })
  it('refuses limits the wrong way round', () => {
    expect(limitsFault({ less: false }, 26, 50)).toBe('')
    expect(limitsFault({ less: false }, 50, 26)).toContain('更严重')
    expect(limitsFault({ less: true }, 5, 15)).toContain('更严重')
    expect(limitsFault({ less: false }, null, 26)).toBe('请填写两个阈值')
  })
  it('keeps groups in order', () => {
    expect(groupedChecks(health.checks).map((g) => g.name)).toEqual(['数据安全', '运行环境'])
  })
})

describe('TaskList', () => {
  it('shows schedule, last result and error, and runs a task after a question', async () => {
    vi.spyOn(api, 'listTasks').mockResolvedValue({ items: [task], canManage: true })
    const runTask = vi.spyOn(api, 'runTask').mockResolvedValue(run)
    const { wrapper } = await open(TaskList)
    await vi.waitFor(() => expect(wrapper.text()).toContain('磁盘已满'))
    for (const part of ['每日备份', '每天 02:30', '失败', '4.2 秒', '2026年11月29日 02:30'])
      expect(wrapper.text()).toContain(part)
    press('立即执行')
    await flushPromises()
    expect(runTask).not.toHaveBeenCalled()
    press('立即执行') // in the question
    await flushPromises()
    expect(runTask).toHaveBeenCalledWith('backup.daily', expect.any(String))
  })
  it('pauses only with a reason', async () => {
    vi.spyOn(api, 'listTasks').mockResolvedValue({ items: [task], canManage: true })
    const pause = vi.spyOn(api, 'pauseTask').mockResolvedValue(undefined as never)
    const { wrapper } = await open(TaskList)
    await vi.waitFor(() => expect(wrapper.text()).toContain('每日备份'))
    press('暂停')
    await flushPromises()
    press('暂停任务')
    await flushPromises()
    expect(pause).not.toHaveBeenCalled()
    document.querySelector<HTMLTextAreaElement>('textarea')!.value = '等磁盘扩容后再恢复'
    document.querySelector('textarea')!.dispatchEvent(new Event('input'))
    await flushPromises()
    press('暂停任务')
    await flushPromises()
    expect(pause).toHaveBeenCalledWith('backup.daily', '等磁盘扩容后再恢复', expect.any(String))
  })
  it('has no commands for who may only look, and says so to who may not', async () => {
    vi.spyOn(api, 'listTasks').mockResolvedValue({ items: [task], canManage: false })
    const { wrapper } = await open(TaskList)
    await vi.waitFor(() => expect(wrapper.text()).toContain('每日备份'))
    expect(wrapper.text()).not.toContain('立即执行')
    vi.spyOn(api, 'listTasks').mockRejectedValue(refused)
    const other = await open(TaskList)
    await vi.waitFor(() => expect(other.wrapper.text()).toContain('没有查看权限'))
  })
})

describe('RunList', () => {
  it('lists by what the address says and retries a failed run', async () => {
    vi.spyOn(api, 'listTasks').mockResolvedValue({ items: [task], canManage: true })
    const list = vi.spyOn(api, 'listRuns').mockResolvedValue({ items: [run] })
    vi.spyOn(api, 'getRun').mockResolvedValue(run)
    const retry = vi.spyOn(api, 'retryRun').mockResolvedValue(run)
    const { wrapper } = await open(RunList, '/task-runs?task=backup.daily&state=failed&open=7')
    expect(list).toHaveBeenCalledWith(
      { task: 'backup.daily', state: 'failed', from: '', until: '', cursor: undefined, limit: 20 },
      expect.anything(),
    )
    await vi.waitFor(() => expect(wrapper.text()).toContain('数据没有备份，请尽快处理。'))
    expect(wrapper.text()).toContain('任务：每日备份')
    press('重试')
    await flushPromises()
    press('重试')
    await flushPromises()
    expect(retry).toHaveBeenCalledWith(7, expect.any(String))
  })
})

describe('HealthPage', () => {
  it('shows what is wrong, since when and what to do, and takes an acknowledgement', async () => {
    vi.spyOn(api, 'getHealth').mockResolvedValue(health)
    const know = vi.spyOn(api, 'acknowledge').mockResolvedValue(incident)
    const { wrapper } = await open(HealthPage)
    await vi.waitFor(() => expect(wrapper.text()).toContain('系统存在异常'))
    for (const part of ['已持续 4 小时', '通知 2 次', '每 4 小时提醒一次', '请在“备份”查看原因。', '≤ 15 %注意'])
      expect(wrapper.text()).toContain(part)
    press('已知悉')
    await flushPromises()
    press('正在处理')
    await flushPromises()
    press('登记已知悉')
    await flushPromises()
    expect(know).toHaveBeenCalledWith(3, '正在处理', expect.any(String))
  })
  it('says when nobody has looked for a while, and hides commands', async () => {
    vi.spyOn(api, 'getHealth').mockResolvedValue({ ...health, stale: true, canManage: false, canKnow: false })
    const { wrapper } = await open(HealthPage)
    await vi.waitFor(() => expect(wrapper.text()).toContain('超过一分钟没有巡检'))
    expect(wrapper.findAll('button').map((b) => b.text())).not.toContain('已知悉')
    expect(wrapper.find('[aria-label="调整备份的阈值"]').exists()).toBe(false)
  })
})

describe('QueuePage', () => {
  it('shows work and backlogs with ways to them', async () => {
    vi.spyOn(api, 'getQueues').mockResolvedValue(queues)
    const { wrapper } = await open(QueuePage)
    await vi.waitFor(() => expect(wrapper.text()).toContain('发送短信'))
    expect(wrapper.get('[aria-label="发送短信已失败 3 项"]').attributes('href')).toBe(
      '/failed-jobs?kind=message.sms&state=discarded',
    )
    expect(wrapper.text()).toContain('暂时无法统计')
    expect(wrapper.html()).toContain('href="/exchange/deliveries"')
  })

  it('leads nobody to a page they may not open', async () => {
    vi.spyOn(api, 'getQueues').mockResolvedValue({
      ...queues,
      backlogs: [{ ...queues.backlogs[0]!, title: '未封印的审计日志', page: '/audit' }],
    })
    const { wrapper } = await open(QueuePage)
    await vi.waitFor(() => expect(wrapper.text()).toContain('未封印的审计日志'))
    expect(wrapper.html()).not.toContain('href="/audit"')
  })
})

describe('JobList', () => {
  it('gives up only with a reason', async () => {
    vi.spyOn(api, 'getQueues').mockResolvedValue(queues)
    vi.spyOn(api, 'listJobs').mockResolvedValue({ items: [job] })
    const drop = vi.spyOn(api, 'dropJob').mockResolvedValue(undefined as never)
    const { wrapper } = await open(JobList, '/failed-jobs?open=9')
    await vi.waitFor(() => expect(wrapper.text()).toContain('连接超时'))
    press('放弃')
    await flushPromises()
    press('业务已另行处理')
    await flushPromises()
    press('放弃')
    await flushPromises()
    expect(drop).toHaveBeenCalledWith(9, '业务已另行处理', expect.any(String))
  })
})

describe('ReportPage', () => {
  it('shows the frozen figures and prints', async () => {
    vi.spyOn(api, 'getReport').mockResolvedValue({
      id: 1,
      day: '2026-11-27',
      madeAt: '2026-11-28T00:00:00Z',
      state: 'warn',
      summary: '19 项检查中正常 19 项',
      checks: [{ group: '数据安全', title: '备份', state: 'normal', text: '5 小时前的备份已恢复验证通过' }],
      incidents: [],
      sections: [{ title: '访问', figures: [{ label: '处理请求', value: '1000', note: '' }] }],
    })
    const print = vi.fn()
    vi.stubGlobal('print', print)
    const { wrapper } = await open(ReportPage, '/reports/1')
    for (const part of ['2026年11月27日', '当日没有异常事件', '处理请求', '1000'])
      expect(wrapper.text()).toContain(part)
    press('打印')
    expect(print).toHaveBeenCalled()
  })
})
