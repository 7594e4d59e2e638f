import { readFileSync } from 'node:fs'
import { expect, test } from '@playwright/test'
import { picture, staff } from './support'

const register = ['企业名称,统一社会信用代码,法定代表人,从业人员', '北京潮白河食品有限公司,91110112MA7000000E,林晓梅,14', '=cmd|潮白河酿造有限公司,91110112MA7000010F,古丽扎尔·买买提,9', '北京错码商贸有限公司,91110112MA0000000X,王芳,3'].join('\r\n')

test('an operator brings a register of companies in and takes the list out again', async ({ browser, request }) => {
  test.setTimeout(180_000)
  const page = await staff(browser, request, 'operator01', '19900020004')

  await test.step('the file is checked before anything is written', async () => {
    await page.goto('/admin/imports')
    await page.locator('input[type=file]').setInputFiles({ name: '企业名录.csv', mimeType: 'text/csv', buffer: Buffer.from('\ufeff' + register) })
    await expect(page.getByRole('heading', { name: '企业名录.csv' })).toBeVisible()
    await page.getByRole('button', { name: '检查数据' }).click()
    await expect(page.getByText('可新增')).toBeVisible()
    await expect(page.locator('dl.figures')).toHaveText(/可新增\s*2\s*已有记录\s*0\s*有问题\s*1/)
    const before = await page.request.get(`/api/enterprises?q=${encodeURIComponent('潮白河')}`)
    expect(((await before.json()) as { items: unknown[] }).items).toEqual([])
    await picture(page, 'import')
  })

  await test.step('the row that is wrong comes back with what to do', async () => {
    const waiting = page.waitForEvent('download')
    await page.getByRole('link', { name: /下载问题清单/ }).click()
    const report = await waiting
    expect(report.suggestedFilename()).toMatch(/\.xlsx$/)
    expect(readFileSync(await report.path()).subarray(0, 2).toString()).toBe('PK')
    const bad = page.getByRole('row').filter({ hasText: '北京错码商贸有限公司' })
    await expect(bad).toContainText('统一社会信用代码')
    await expect(page.getByRole('row').filter({ hasText: '北京潮白河食品有限公司' })).toHaveCount(0)
  })

  await test.step('publishing writes the good ones', async () => {
    await page.getByRole('button', { name: '发布', exact: true }).click()
    await page.getByRole('dialog').getByRole('button', { name: '发布' }).click()
    await expect(page.locator('dl.figures')).toHaveText(/新增\s*2\s*更新\s*0\s*跳过\s*0\s*未导入\s*1/)
  })

  await test.step('the list they are in goes out as the address filters it', async () => {
    await page.goto(`/admin/enterprises?q=${encodeURIComponent('潮白河')}`)
    await expect(page.getByText('北京潮白河食品有限公司')).toBeVisible()
    await page.getByRole('button', { name: '导出' }).click()
    const dialog = page.getByRole('dialog', { name: /导出/ })
    await dialog.getByLabel('用途').fill('核对新登记企业')
    await dialog.getByText('CSV').click()
    await dialog.getByRole('button', { name: '开始导出' }).click()
    await expect(page).toHaveURL(/\/admin\/exports/)
    const link = page.getByRole('link', { name: '下载' }).first()
    await expect(link).toBeVisible({ timeout: 30_000 })
    await picture(page, 'exports')
    const waiting = page.waitForEvent('download')
    await link.click()
    const lines = readFileSync(await (await waiting).path(), 'utf8').split('\r\n')
    expect(lines[0]).toContain('核对新登记企业')
    const body = lines.slice(1).join('\n')
    expect(body).toContain('北京潮白河食品有限公司')
    expect(body).toContain("'=cmd|潮白河酿造有限公司") // opens as text, not as a formula
    expect(body).not.toContain('错码')
  })
})
