import { flushPromises, mount } from '@vue/test-utils'
import { createPinia } from 'pinia'
import { describe, expect, it, vi } from 'vitest'
import { createMemoryHistory, createRouter } from 'vue-router'
import { ApiError } from '@/api/client'
import * as identity from '@/api/identity'
import AccountPage from './AccountPage.vue'
import { checkPassword } from './checks'

const account: identity.Account = {
  name: '孙宏',
  account: 'sysadmin',
  phoneMasked: '199****0005',
  party: 'platform',
  place: '',
  roles: [{ code: 'platform_admin', name: '系统管理员' }],
  hasPassword: true,
  mustChange: true,
  wechat: 'off',
  sessions: [],
}

async function open() {
  vi.spyOn(identity, 'getAccount').mockResolvedValue(account)
  vi.spyOn(identity, 'getSession').mockResolvedValue({ csrfToken: 't' } as Awaited<
    ReturnType<typeof identity.getSession>
  >)
  const router = createRouter({
    history: createMemoryHistory(),
    routes: [{ path: '/', component: { template: '<i/>' } }],
  })
  await router.push('/')
  const wrapper = mount(AccountPage, { global: { plugins: [router, createPinia()] }, attachTo: document.body })
  await flushPromises()
  const fill = (label: string, value: string) => wrapper.get(`input[aria-label="${label}"]`).setValue(value)
  return { wrapper, fill }
}

describe('checkPassword', () => {
  it.each([
    [{ current: '', password: 'Yunhe-2026-xin', again: 'Yunhe-2026-xin' }, ['current']],
    [{ current: 'x', password: 'short', again: 'short' }, ['password']],
    [{ current: 'x', password: 'Yunhe-2026-xin', again: 'Yunhe-2026' }, ['again']],
    [{ current: 'x', password: 'Yunhe-2026-xin', again: 'Yunhe-2026-xin' }, []],
  ])('%o', (values, fields) => expect(Object.keys(checkPassword(values))).toEqual(fields))
})

describe('AccountPage', () => {
  it('says that the password is due, and puts a wrong one beside its field', async () => {
    const change = vi
      .spyOn(identity, 'changePassword')
      .mockRejectedValueOnce(
        new ApiError({
          status: 422,
          code: 'PASSWORD_WRONG',
          message: '当前密码不正确',
          fields: [{ field: 'current', message: '当前密码不正确' }],
        }),
      )
      .mockResolvedValue(undefined as never)
    const { wrapper, fill } = await open()
    expect(wrapper.text()).toContain('请先修改密码')
    await fill('当前密码', 'KTRW-4829-hmpx-7bqk')
    await fill('新密码', 'Yunhe-2026-xin')
    await fill('再填一次新密码', 'Yunhe-2026-xin')
    await wrapper.get('form').trigger('submit')
    await flushPromises()
    await vi.waitFor(() => expect(wrapper.text()).toContain('当前密码不正确'))
    await wrapper.get('form').trigger('submit')
    await flushPromises()
    expect(change).toHaveBeenLastCalledWith('KTRW-4829-hmpx-7bqk', 'Yunhe-2026-xin')
    expect(identity.getSession).toHaveBeenCalled()
    expect((wrapper.get('input[aria-label="新密码"]').element as HTMLInputElement).value).toBe('')
  })
})
