import { flushPromises, mount } from '@vue/test-utils'
import { createPinia } from 'pinia'
import { describe, expect, it, vi } from 'vitest'
import { createMemoryHistory, createRouter } from 'vue-router'
import * as consent from '@/features/consent/api'
import BasisChoice from '@/features/consent/BasisChoice.vue'
import * as api from './api'
import CompanyTable from './CompanyTable.vue'
import { companyStates, grantStates, percent, progressText, pushStates, sets } from './labels'

const progress: api.Push['progress'] = {
  total: 10,
  waiting: 4,
  told: 5,
  skipped: [{ reason: '企业未授权政策推送', count: 1 }],
  platform: 0,
  sent: 2,
  inTransit: 0,
  unknown: 2,
  failed: 1,
  opened: 2,
  matched: 1,
}

describe('words', () => {
  it('says what became of a plan', () => {
    expect(progressText({ progress })).toBe(
      '已告知 5 家（送达 2、结果不明 2、未送达 1），待告知 4 家，企业未授权政策推送 1 家，已读 2 家，查看匹配 1 家',
    )
    expect(percent({ progress })).toBe(60)
    expect(percent({ progress: { ...progress, total: 0 } })).toBe(0)
    expect([sets, pushStates, grantStates, companyStates].map((t) => Object.keys(t).length)).toEqual([5, 7, 7, 4])
  })
})

const company = (enterpriseId: number, name: string): api.Company => ({
  enterpriseId,
  name,
  verified: true,
  decision: 'near',
  word: '接近',
  summary: name && '只差一项：从业人员，还差 12 人',
  lines: [],
})

describe('companies', () => {
  it('goes from page to page, and names nobody the viewer may not see', async () => {
    const list = vi
      .spyOn(api, 'listCompanies')
      .mockResolvedValueOnce({ items: [company(7, '禾谷坊烘焙有限公司'), company(8, '')], nextCursor: '8' })
      .mockResolvedValueOnce({ items: [company(9, '云脉软件有限公司')] })
    const router = createRouter({
      history: createMemoryHistory(),
      routes: [{ path: '/', component: { template: '<i/>' } }],
    })
    await router.push('/')
    const division = { companies: 3, sets: [], towns: [], industries: [], factMark: 1, fingerprint: 'x', ms: 1 }
    const wrapper = mount(CompanyTable, {
      props: { policy: 5, set: 'near', town: '', industry: '', division, mayTake: false },
      global: { plugins: [router, createPinia()] },
      attachTo: document.body,
    })
    await flushPromises()
    expect(wrapper.text()).toContain('禾谷坊烘焙有限公司')
    expect(wrapper.text()).toContain('无权查看企业名称')
    await wrapper.findAll('footer button')[1]!.trigger('click')
    await flushPromises()
    expect(list.mock.calls.map(([, query]) => query.cursor)).toEqual(['', '8'])
    expect(wrapper.text()).toContain('云脉软件有限公司')
    wrapper.unmount()
  })

  it('are read again with the basis that is stated, which holds until it is taken back', async () => {
    vi.spyOn(consent, 'listOffers').mockResolvedValue([{ code: 'duty', name: '法定职责' }])
    const list = vi
      .spyOn(api, 'listCompanies')
      .mockReset()
      .mockImplementation(async (_, { basis }) => ({
        items: [{ ...company(7, '禾谷坊烘焙有限公司'), summary: basis ? '还差 12 人' : '', withheld: !basis }],
      }))
    const one = vi.spyOn(api, 'getCompany').mockResolvedValue(company(7, '禾谷坊烘焙有限公司'))
    const router = createRouter({
      history: createMemoryHistory(),
      routes: [{ path: '/', component: { template: '<i/>' } }],
    })
    await router.push('/')
    const division = { companies: 1, sets: [], towns: [], industries: [], factMark: 1, fingerprint: 'x', ms: 1 }
    const wrapper = mount(CompanyTable, {
      props: { policy: 5, set: 'near', town: '', industry: '', division, mayTake: false },
      global: { plugins: [router, createPinia()] },
      attachTo: document.body,
    })
    await flushPromises()
    expect(wrapper.text()).toContain('本页 1 家企业未授权')
    wrapper.getComponent(BasisChoice).vm.$emit('chosen', 'duty')
    await flushPromises()
    expect(list.mock.calls.map(([, query]) => query.basis)).toEqual(['', 'duty'])
    expect(wrapper.text()).toContain('还差 12 人')
    expect(wrapper.text()).toContain('正在按所选依据查阅')
    await wrapper
      .findAll('button')
      .find((b) => b.text() === '禾谷坊烘焙有限公司')!
      .trigger('click')
    await flushPromises()
    expect(one).toHaveBeenCalledWith(5, 7, 'duty')
    await wrapper
      .findAll('button')
      .find((b) => b.text() === '不再按依据查阅')!
      .trigger('click')
    await flushPromises()
    expect(list.mock.calls.at(-1)?.[1].basis).toBe('')
    expect(wrapper.text()).toContain('本页 1 家企业未授权')
    wrapper.unmount()
  })
})
