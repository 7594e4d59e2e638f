import { flushPromises, mount } from '@vue/test-utils'
import { createPinia } from 'pinia'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { createMemoryHistory, createRouter } from 'vue-router'

import { ApiError } from '@/api/error'
import * as sessionApi from '@/api/session'

import * as api from './api'
import BooksPage from './BooksPage.vue'
import { checkClaim, plainCode } from './checks'
import CompanyPage from './CompanyPage.vue'
import ExtraPage from './ExtraPage.vue'
import FactsPage from './FactsPage.vue'
import { companyEntry, outcomeTone, verificationLook } from './labels'
import * as licenceApi from '../licence/api'
import MembersPage from './MembersPage.vue'
import ChangePage from './ChangePage.vue'
import VerifyPage from './VerifyPage.vue'

const mine: api.Mine = {
  id: 1,
  name: '麦香',
  creditCode: '',
  legalPerson: '',
  verification: 'unverified',
  createdAt: '2026-11-22T01:30:00Z',
  role: 'owner',
  attemptsLeft: 10,
  names: [],
  persons: [],
  facts: [],
  stated: {},
  statedYears: [
    { year: 2025, values: {} },
    { year: 2024, values: { revenue: '200' } },
  ],
  statedFields: ['employees', 'revenue', 'assets', 'rdSpend', 'industry'],
  requests: 0,
  myJoins: [],
}
const code = '91990000MADM000015'
const claim = { name: '麦香烘焙有限公司', creditCode: code, legalPerson: '王丽' }
const attempt: api.Attempt = {
  ...claim,
  id: 3,
  enterpriseId: 1,
  enterpriseName: '麦香',
  verification: 'unverified',
  kind: 'registry',
  outcome: 'person_differs',
  title: '法定代表人与登记信息不一致',
  text: '请按营业执照填写。',
  problems: [{ field: 'legalPerson', message: '与登记的法定代表人不一致' }],
  canReview: true,
  note: '',
  reason: '',
  version: 2,
  askedAt: '2026-11-22T01:30:00Z',
  userName: '王芳',
  files: [],
}
const join: api.Join = {
  id: 9,
  enterpriseId: 1,
  enterpriseName: '麦香',
  userId: 8,
  userName: '李雷',
  phone: '138****0008',
  state: 'open',
  label: '等待企业负责人处理',
  note: '',
  reason: '',
  version: 1,
  askedAt: '2026-11-22T01:30:00Z',
  canDecide: true,
  canDispute: false,
}

const extra: api.Extra = { enterpriseId: 1, version: 3, items: [], history: [], mayFill: false }
const asked: api.Extra = {
  ...extra,
  mayFill: true,
  items: [
    {
      field: { key: 'park', label: '所属园区', kind: 'choice', options: ['台湖园', '宋庄园'] },
      group: 'service',
      groupName: '服务管理信息',
      values: ['台湖园'],
      text: '台湖园',
      source: '平台登记',
      mayFill: false,
      company: 'reads',
    },
    {
      field: { key: 'exports', label: '是否有出口业务', kind: 'yesno' },
      group: 'operation',
      groupName: '经营情况',
      values: [],
      text: '',
      mayFill: true,
      company: 'fills',
    },
  ],
}

async function open(component: typeof VerifyPage) {
  const page = { template: '<i/>' }
  const router = createRouter({
    history: createMemoryHistory(),
    routes: [
      '/',
      '/mine',
      '/company',
      '/company/verify',
      '/company/members',
      '/company/facts',
      '/company/extra',
      '/company/change',
    ].map((path) => ({
      path,
      component: page,
    })),
  })
  await router.push('/')
  const wrapper = mount(component, { global: { plugins: [router, createPinia()] }, attachTo: document.body })
  await flushPromises()
  const button = (words: string) => wrapper.findAll('button').find((b) => b.text().includes(words))!
  return { wrapper, router, button }
}

beforeEach(() => {
  sessionStorage.clear()
  document.body.innerHTML = ''
  vi.restoreAllMocks()
  vi.spyOn(api, 'getExtra').mockResolvedValue(extra)
  vi.spyOn(licenceApi, 'getShelf').mockResolvedValue({ items: [], kinds: [] })
})

describe('what administrators ask', () => {
  it('shows it on the company’s page and leads to the form', async () => {
    vi.spyOn(api, 'getMine').mockResolvedValue(mine)
    vi.spyOn(api, 'getExtra').mockResolvedValue(asked)
    const { wrapper, button } = await open(CompanyPage as typeof VerifyPage)
    expect(wrapper.text()).toContain('台湖园')
    expect(wrapper.text()).toContain('是否有出口业务')
    expect(button('填写补充信息')).toBeDefined()
  })

  it('sends what the company fills, with the version that was seen, and shows what is wrong at its field', async () => {
    vi.spyOn(api, 'getExtra').mockResolvedValue(asked)
    const send = vi
      .spyOn(api, 'setExtra')
      .mockRejectedValueOnce(
        new ApiError('invalid', {
          message: '请选择是否有出口业务',
          fields: { 'fields.exports': '请选择是否有出口业务' },
        }),
      )
      .mockResolvedValue(asked)
    const { wrapper } = await open(ExtraPage as typeof VerifyPage)
    expect(wrapper.text()).not.toContain('台湖园')
    await wrapper.get('form').trigger('submit')
    await flushPromises()
    expect(wrapper.text()).toContain('请选择是否有出口业务')
    await wrapper.findAll('[role="radio"]')[0]!.trigger('click')
    await wrapper.get('form').trigger('submit')
    await flushPromises()
    expect(send).toHaveBeenLastCalledWith(
      asked,
      { exports: ['yes'] },
      expect.stringMatching(/^[0-9a-f-]{36}$/),
    )
  })

  it('is not open to a member who may not fill it', async () => {
    vi.spyOn(api, 'getExtra').mockResolvedValue({ ...asked, mayFill: false })
    const { wrapper } = await open(ExtraPage as typeof VerifyPage)
    expect(wrapper.find('form').exists()).toBe(false)
    expect(wrapper.text()).toContain('企业负责人')
  })
})

describe('checkClaim', () => {
  it('lets a complete claim pass, however the code was typed', () => {
    expect(checkClaim(claim)).toEqual({})
    expect(checkClaim({ ...claim, creditCode: '９１９９ 0000-madm 0000 15' })).toEqual({})
    expect(plainCode('ab c-1')).toBe('ABC1')
  })
  it.each([
    ['name', { name: ' ' }],
    ['creditCode', { creditCode: '9199' }],
    ['creditCode', { creditCode: '' }],
    ['legalPerson', { legalPerson: '王' }],
  ])('refuses a wrong %s alone', (field, change) => {
    expect(Object.keys(checkClaim({ ...claim, ...change }))).toEqual([field])
  })
})

describe('labels', () => {
  it('lead to verifying only who may', () => {
    expect(companyEntry('unverified')).toBe('/company/verify')
    expect(companyEntry('returned')).toBe('/company/verify')
    expect(companyEntry('verified')).toBe('/company')
    expect(verificationLook('returned')?.tone).toBe('danger')
    expect(verificationLook('lost')).toBeNull()
    expect(outcomeTone('something new')).toBe('warning')
  })
})

describe('VerifyPage', () => {
  it('shows at the field what the registry said, and offers a person', async () => {
    vi.spyOn(api, 'getMine').mockResolvedValue(mine)
    const send = vi.spyOn(api, 'verify').mockResolvedValue(attempt)
    const { wrapper, button } = await open(VerifyPage)
    await wrapper.get('form').trigger('submit')
    expect(send).not.toHaveBeenCalled()
    await wrapper.get('[name="creditCode"]').setValue(code)
    await wrapper.get('[name="legalPerson"]').setValue('李雷')
    await wrapper.get('form').trigger('submit')
    await flushPromises()
    expect(send).toHaveBeenCalledWith(
      { name: '麦香', creditCode: code, legalPerson: '李雷' },
      expect.stringMatching(/^[0-9a-f-]{36}$/),
    )
    expect(wrapper.text()).toContain('法定代表人与登记信息不一致')
    expect(wrapper.get('.van-field__error-message').text()).toContain('与登记的法定代表人不一致')
    expect(button('提交人工审核').exists()).toBe(true)
    expect(wrapper.text()).toContain('还可以提交 9 次')
  })

  it('hands in a licence that the company keeps, with its term shown, without another upload', async () => {
    const paper = {
      id: 31,
      kind: 'business',
      kindName: '营业执照',
      state: 'current',
      createdAt: '2026-11-22T01:30:00Z',
    } as licenceApi.Licence
    vi.spyOn(licenceApi, 'getShelf').mockResolvedValue({
      items: [
        { ...paper, standing: 'soon', word: '还有 9 天到期', expiresOn: '2026-12-01' },
        { ...paper, id: 30, standing: 'expired', expiresOn: '2026-01-01' },
        { ...paper, id: 29, kind: 'food', standing: 'valid' },
      ],
      kinds: [],
    })
    vi.spyOn(api, 'getMine').mockResolvedValue({ ...mine, attempt: { ...attempt, name: claim.name } })
    vi.spyOn(sessionApi, 'getSession').mockResolvedValue({} as sessionApi.Session)
    const send = vi
      .spyOn(api, 'applyForReview')
      .mockResolvedValue({ ...attempt, outcome: 'waiting', verification: 'pending', problems: [] })
    const { wrapper } = await open(VerifyPage)
    expect(wrapper.findAll('[role="radio"]')).toHaveLength(2)
    expect(wrapper.text()).toContain('有效期至 2026-12-01')
    expect(wrapper.text()).toContain('还有 9 天到期')
    const review = wrapper.findAll('form')[1]!
    await review.trigger('submit')
    await flushPromises()
    expect(send).not.toHaveBeenCalled()
    await wrapper.findAll('[role="radio"]')[0]!.trigger('click')
    await review.trigger('submit')
    await flushPromises()
    expect(send).toHaveBeenCalledWith(
      { ...claim, note: '', fileIds: [], licenceId: 31 },
      expect.stringMatching(/^[0-9a-f-]{36}$/),
    )
  })

  it('keeps the key when the network failed, so that it stays one attempt', async () => {
    vi.spyOn(api, 'getMine').mockResolvedValue({ ...mine, attempt })
    const send = vi
      .spyOn(api, 'verify')
      .mockRejectedValueOnce(new ApiError('network'))
      .mockResolvedValue(attempt)
    const { wrapper } = await open(VerifyPage)
    expect(wrapper.get<HTMLInputElement>('[name="creditCode"]').element.value).toBe(code)
    await wrapper.get('form').trigger('submit')
    await flushPromises()
    await wrapper.get('form').trigger('submit')
    await flushPromises()
    expect(send.mock.calls[0]![1]).toBe(send.mock.calls[1]![1])
  })

  it('goes to the company when it is verified, with the session told anew', async () => {
    vi.spyOn(api, 'getMine').mockResolvedValue({ ...mine, attempt })
    vi.spyOn(api, 'verify').mockResolvedValue({
      ...attempt,
      outcome: 'verified',
      verification: 'verified',
      problems: [],
    })
    const told = vi.spyOn(sessionApi, 'getSession').mockResolvedValue({
      signedIn: true,
      user: null,
      enterprise: null,
      institution: null,
      department: null,
      permissions: [],
      deputed: [],
      csrfToken: 't',
      demo: false,
      wechat: false,
      mustChange: false,
      district: '',
    })
    const { wrapper, router } = await open(VerifyPage)
    await wrapper.get('form').trigger('submit')
    await flushPromises()
    expect(told).toHaveBeenCalled()
    expect(router.currentRoute.value.path).toBe('/company')
  })

  it('does not send a person anything without the licence', async () => {
    vi.spyOn(api, 'getMine').mockResolvedValue({ ...mine, attempt })
    const send = vi.spyOn(api, 'applyForReview').mockResolvedValue(attempt)
    const { wrapper } = await open(VerifyPage)
    await wrapper.findAll('form')[1]!.trigger('submit')
    await flushPromises()
    expect(send).not.toHaveBeenCalled()
  })

  it('is the owner’s', async () => {
    vi.spyOn(api, 'getMine').mockResolvedValue({ ...mine, role: 'member' })
    const { wrapper } = await open(VerifyPage)
    expect(wrapper.text()).toContain('企业负责人')
    expect(wrapper.find('form').exists()).toBe(false)
  })

  it('shows a licence that waits instead of the form', async () => {
    const waiting = { ...attempt, outcome: 'waiting', title: '等待人工审核', problems: [], canReview: false }
    vi.spyOn(api, 'getMine').mockResolvedValue({ ...mine, verification: 'pending', attempt: waiting })
    const { wrapper } = await open(VerifyPage)
    expect(wrapper.text()).toContain('等待人工审核')
    expect(wrapper.find('form').exists()).toBe(false)
  })
})

describe('ChangePage', () => {
  const verified: api.Mine = { ...mine, verification: 'verified', creditCode: code, canChange: true }
  const paper = {
    id: 31,
    kind: 'business',
    kindName: '营业执照',
    state: 'current',
    standing: 'valid',
    createdAt: '2026-11-22T01:30:00Z',
  } as licenceApi.Licence
  const waiting: api.Attempt = {
    ...attempt,
    kind: 'change',
    outcome: 'waiting',
    title: '变更登记等待人工审核',
    changes: [{ what: 'name', label: '企业名称', from: '麦香', to: '麦香食品有限公司' }],
    name: '麦香食品有限公司',
    verification: 'verified',
    problems: [],
    canReview: false,
  }

  it('asks with a licence that is kept, once, and shows what came of it', async () => {
    const load = vi.spyOn(api, 'getMine').mockResolvedValue(verified)
    const old = { ...paper, id: 30, standing: 'expired' } as licenceApi.Licence
    vi.spyOn(licenceApi, 'getShelf').mockResolvedValue({ items: [paper, old], kinds: [] })
    vi.spyOn(sessionApi, 'getSession').mockResolvedValue({} as sessionApi.Session)
    const send = vi.spyOn(api, 'change').mockResolvedValue(waiting)
    const { wrapper } = await open(ChangePage as typeof VerifyPage)
    expect(wrapper.findAll('[role="radio"]')).toHaveLength(2)
    await wrapper.get('[name="name"]').setValue('麦香食品有限公司')
    await wrapper.get('form').trigger('submit')
    await flushPromises()
    expect(send).not.toHaveBeenCalled()
    await wrapper.findAll('[role="radio"]')[0]!.trigger('click')
    load.mockResolvedValue({ ...verified, canChange: false, changing: waiting })
    await wrapper.get('form').trigger('submit')
    await flushPromises()
    expect(send).toHaveBeenCalledOnce()
    expect(send).toHaveBeenCalledWith(
      { name: '麦香食品有限公司', legalPerson: '', note: '', fileIds: [], licenceId: 31 },
      expect.stringMatching(/^[0-9a-f-]{36}$/),
    )
    expect(wrapper.text()).toContain('变更登记等待人工审核')
    expect(wrapper.text()).toContain('由“麦香”变更为“麦香食品有限公司”')
    expect(wrapper.find('form').exists()).toBe(false)
  })

  it('changes the legal person alone, and asks for something to change', async () => {
    vi.spyOn(api, 'getMine').mockResolvedValue({ ...verified, legalPerson: '王丽' })
    vi.spyOn(licenceApi, 'getShelf').mockResolvedValue({ items: [paper], kinds: [] })
    vi.spyOn(sessionApi, 'getSession').mockResolvedValue({} as sessionApi.Session)
    const send = vi.spyOn(api, 'change').mockResolvedValue(waiting)
    const { wrapper } = await open(ChangePage as typeof VerifyPage)
    await wrapper.findAll('[role="radio"]')[0]!.trigger('click')
    await wrapper.get('form').trigger('submit')
    await flushPromises()
    expect(send).not.toHaveBeenCalled()
    expect(wrapper.text()).toContain('至少填写一项')
    await wrapper.get('[name="legalPerson"]').setValue(' 李雷 ')
    await wrapper.get('form').trigger('submit')
    await flushPromises()
    expect(send.mock.calls[0]![0]).toMatchObject({ name: '', legalPerson: '李雷', licenceId: 31 })
  })

  it('shows members the names and no form', async () => {
    const names = [
      { name: '麦香食品有限公司', from: '2026-11-22T01:30:00Z', how: '登记系统核验一致' },
      {
        name: '麦香',
        from: '2025-11-22T01:30:00Z',
        until: '2026-11-22T01:30:00Z',
        how: '人工审核营业执照',
      },
    ]
    vi.spyOn(api, 'getMine').mockResolvedValue({ ...verified, role: 'member', canChange: false, names })
    const { wrapper } = await open(ChangePage as typeof VerifyPage)
    expect(wrapper.text()).toContain('2025年11月22日 至 2026年11月22日，人工审核营业执照')
    expect(wrapper.text()).toContain('2026年11月22日 至 今')
    expect(wrapper.find('form').exists()).toBe(false)
  })

  it('is the owner’s while the name never changed', async () => {
    vi.spyOn(api, 'getMine').mockResolvedValue({ ...verified, role: 'member', canChange: false })
    const { wrapper } = await open(ChangePage as typeof VerifyPage)
    expect(wrapper.text()).toContain('企业负责人')
    expect(wrapper.find('form').exists()).toBe(false)
  })
})

describe('CompanyPage', () => {
  it('leads a verified company to its change of name, and shows the former one', async () => {
    vi.spyOn(api, 'getMine').mockResolvedValue({ ...mine, verification: 'verified', formerNames: ['旧名'] })
    const { wrapper } = await open(CompanyPage as typeof VerifyPage)
    expect(wrapper.text()).toContain('变更登记')
    expect(wrapper.text()).toContain('曾用名：旧名')
    vi.spyOn(api, 'getMine').mockResolvedValue(mine)
    const young = await open(CompanyPage as typeof VerifyPage)
    expect(young.wrapper.text()).not.toContain('变更登记')
  })

  it('shows each fact with its source, and markup as text', async () => {
    const fact: api.Fact = {
      field: 'employees',
      label: '从业人员',
      group: '经营情况',
      text: '<b>14</b> 人',
      source: '企业填报',
      asOf: '2026-11-22T01:30:00Z',
      recordedAt: '2026-11-22T01:30:00Z',
    }
    vi.spyOn(api, 'getMine').mockResolvedValue({ ...mine, facts: [fact], requests: 2 })
    const { wrapper } = await open(CompanyPage as typeof VerifyPage)
    expect(wrapper.text()).toContain('<b>14</b> 人')
    expect(wrapper.text()).toContain('企业填报，2026年11月22日')
    expect(wrapper.text()).toContain('2 个加入申请待处理')
    expect(wrapper.text()).toContain('去认证')
  })

  it('takes a refused request to the operator', async () => {
    const refused = {
      ...join,
      state: 'refused',
      label: '未同意',
      canDecide: false,
      canDispute: true,
      reason: '不认识',
    }
    vi.spyOn(api, 'getMine').mockResolvedValue({ ...mine, myJoins: [refused] })
    const send = vi.spyOn(api, 'disputeJoin').mockResolvedValue(refused)
    const { wrapper, button } = await open(CompanyPage as typeof VerifyPage)
    await button('请平台核实').trigger('click')
    await wrapper.get('[name="note"]').setValue('我是法定代表人')
    await wrapper.get('form').trigger('submit')
    await flushPromises()
    expect(send).toHaveBeenCalledWith(refused, '我是法定代表人', expect.any(String))
  })
})

describe('CompanyPage of a company verified by its licence', () => {
  const approved = { ...mine, verification: 'verified', registryMissing: true, canFetch: true }
  const asked = {
    ...attempt,
    kind: 'facts' as const,
    outcome: 'unavailable',
    title: '登记系统暂时没有答复',
    problems: [],
  }

  it('asks for the registry’s facts and says why there are none', async () => {
    const load = vi.spyOn(api, 'getMine').mockResolvedValue(approved)
    const send = vi.spyOn(api, 'fetchFacts').mockResolvedValue(asked)
    const { wrapper, button } = await open(CompanyPage as typeof VerifyPage)
    expect(wrapper.text()).toContain('登记信息尚未取得')
    expect(wrapper.text()).not.toContain('自动带入登记信息')
    load.mockResolvedValue({ ...approved, attempt: asked })
    await button('获取登记信息').trigger('click')
    await flushPromises()
    expect(send).toHaveBeenCalledWith(expect.stringMatching(/^[0-9a-f-]{36}$/))
    expect(wrapper.text()).toContain('登记系统暂时没有答复')
    load.mockResolvedValue({ ...mine, verification: 'verified' })
    await button('获取登记信息').trigger('click')
    await flushPromises()
    expect(send.mock.calls[0]![0]).not.toBe(send.mock.calls[1]![0])
    expect(wrapper.text()).not.toContain('登记信息尚未取得')
  })

  it('says what the limit is, and offers members nothing', async () => {
    vi.spyOn(api, 'getMine').mockResolvedValue(approved)
    vi.spyOn(api, 'fetchFacts').mockRejectedValue(
      new ApiError('invalid', { message: '今天的认证次数已用完' }),
    )
    const { wrapper, button } = await open(CompanyPage as typeof VerifyPage)
    await button('获取登记信息').trigger('click')
    await flushPromises()
    expect(wrapper.text()).toContain('今天的认证次数已用完')
    vi.spyOn(api, 'getMine').mockResolvedValue({ ...approved, role: 'member', canFetch: false })
    const other = await open(CompanyPage as typeof VerifyPage)
    expect(other.wrapper.text()).toContain('请联系企业负责人获取')
    expect(other.wrapper.find('.registry button').exists()).toBe(false)
  })
})

describe('MembersPage', () => {
  it('admits in one tap and refuses with a reason', async () => {
    vi.spyOn(api, 'getMembers').mockResolvedValue({
      role: 'owner',
      items: [],
      mandates: [],
      offers: [],
      requests: [join],
    })
    const admit = vi.spyOn(api, 'admitJoin').mockResolvedValue(join)
    const refuse = vi.spyOn(api, 'refuseJoin').mockResolvedValue(join)
    const { wrapper, button } = await open(MembersPage as typeof VerifyPage)
    await button('同意加入').trigger('click')
    await flushPromises()
    expect(admit).toHaveBeenCalledOnce()
    await button('不同意').trigger('click')
    await wrapper.get('form').trigger('submit')
    expect(refuse).not.toHaveBeenCalled()
    await wrapper.get('[name="reason"]').setValue('不是本公司员工')
    await wrapper.get('form').trigger('submit')
    await flushPromises()
    expect(refuse).toHaveBeenCalledWith(join, '不是本公司员工', expect.any(String))
  })
})

describe('BooksPage', () => {
  it('fills in a year that is over, one at a time', async () => {
    vi.spyOn(api, 'getMine').mockResolvedValue(mine)
    const state = vi.spyOn(api, 'stateBooks').mockResolvedValue(mine)
    const { wrapper } = await open(BooksPage as typeof VerifyPage)
    expect(wrapper.text()).toContain('2024 年（已填）')
    await wrapper.find('input[name="revenue"]').setValue('300')
    await wrapper.find('form').trigger('submit')
    await flushPromises()
    expect(state.mock.calls[0]?.[0]).toMatchObject({ revenue: '300', employees: '', year: '2025' })
    await wrapper.findAll('.van-tab')[1]!.trigger('click')
    await flushPromises()
    expect((wrapper.find('input[name="revenue"]').element as HTMLInputElement).value).toBe('200')
  })
})

describe('FactsPage', () => {
  it('leaves out what is the registry’s, and shows a wrong number at its field', async () => {
    vi.spyOn(api, 'getMine').mockResolvedValue({
      ...mine,
      statedFields: ['employees'],
      stated: { employees: '14' },
    })
    vi.spyOn(api, 'stateFacts').mockRejectedValue(
      new ApiError('invalid', { fields: { employees: '从业人员应为整数' } }),
    )
    const { wrapper } = await open(FactsPage as typeof VerifyPage)
    expect(wrapper.find('[name="industry"]').exists()).toBe(false)
    expect(wrapper.get<HTMLInputElement>('[name="employees"]').element.value).toBe('14')
    await wrapper.get('[name="employees"]').setValue('很多')
    await wrapper.get('form').trigger('submit')
    await flushPromises()
    expect(wrapper.text()).toContain('从业人员应为整数')
  })
})
