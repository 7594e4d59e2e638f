import { flushPromises, mount } from '@vue/test-utils'
import { createPinia } from 'pinia'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createMemoryHistory, createRouter } from 'vue-router'
import { ApiError } from '@/api/client'
import OwnPapers from './OwnPapers.vue'
import RenewalDialog from './RenewalDialog.vue'
import RenewalPanel from './RenewalPanel.vue'
import * as api from './renewals'

const waiting: api.Renewal = {
  id: 3,
  institutionId: 4,
  institutionName: '运河银行',
  replaces: '旧号',
  name: '金融许可证',
  no: '新号',
  to: '2029-12-31',
  state: 'waiting',
  reason: '',
  userName: '管理员',
  reviewer: '',
  version: 1,
  createdAt: '2026-11-29T02:00:00Z',
  files: [],
  mayDecide: true,
  mayWithdraw: true,
}

async function open(component: unknown, props: Record<string, unknown>) {
  const router = createRouter({
    history: createMemoryHistory(),
    routes: [{ path: '/:any(.*)*', component: { template: '<i/>' } }],
  })
  await router.push('/')
  mount(component as typeof RenewalPanel, {
    props: props as { id: string },
    global: { plugins: [router, createPinia()] },
    attachTo: document.body,
  })
  await flushPromises()
}

async function press(text: string): Promise<void> {
  const found = Array.from(document.querySelectorAll<HTMLElement>('button')).filter(
    (b) => b.textContent?.trim() === text,
  )
  expect(found.length, text).toBeGreaterThan(0)
  found.at(-1)!.click()
  await flushPromises()
}

beforeEach(() => {
  document.body.innerHTML = ''
})
afterEach(() => {
  vi.restoreAllMocks()
})

describe('renewals', () => {
  it('says what is exchanged before it is passed', async () => {
    vi.spyOn(api, 'getRenewal').mockResolvedValue(waiting)
    const pass = vi.spyOn(api, 'passRenewal').mockResolvedValue({ ...waiting, state: 'approved' })
    await open(RenewalPanel, { id: '3' })
    await press('通过')
    expect(document.body.textContent).toContain('编号 旧号 的证照将更换为“金融许可证”（新号）')
    await press('通过')
    expect(pass).toHaveBeenCalledWith(waiting, expect.any(String))
  })
  it('keeps what was typed and puts the server’s word to the field', async () => {
    const hand = vi.spyOn(api, 'handIn').mockRejectedValue(
      new ApiError({
        status: 422,
        code: 'NO_FILE',
        message: '请上传证照的照片或扫描件',
        fields: [{ field: 'fileIds', message: '请上传证照的照片或扫描件' }],
      }),
    )
    await open(RenewalDialog, { papers: [{ name: '金融许可证', no: '旧号', to: '2026-12-31' }], replaces: '旧号' })
    await press('提交审核')
    expect(hand).toHaveBeenCalledWith(
      { replaces: '旧号', paper: { name: '金融许可证', no: '', to: '' }, fileIds: [] },
      expect.any(String),
    )
    expect(document.body.textContent).toContain('请上传证照的照片或扫描件')
    expect(document.querySelector<HTMLInputElement>('[aria-label="证照名称"]')!.value).toBe('金融许可证')
  })
  it('takes a waiting one back after asking', async () => {
    vi.spyOn(api, 'listRenewals').mockResolvedValue({ items: [waiting] })
    const withdraw = vi.spyOn(api, 'withdrawRenewal').mockResolvedValue({ ...waiting, state: 'withdrawn' })
    await open(OwnPapers, { institution: { qualifications: [] } })
    await press('撤回')
    expect(withdraw).not.toHaveBeenCalled()
    await press('撤回')
    expect(withdraw).toHaveBeenCalledWith(waiting, expect.any(String))
  })
})
