import { expect, test } from '@playwright/test'
import { noSeriousFinding, staff } from './support'

test('the person on duty runs a task, reads its history and looks at the health of the system', async ({ browser, request }) => {
  test.setTimeout(240_000)
  const page = await staff(browser, request, 'sysadmin', '19900000005')

  await test.step('sees every task and when it runs', async () => {
    await page.goto('/admin/system/tasks')
    const row = page.getByRole('row', { name: /核对新增审计日志/ })
    await expect(row).toContainText('每 1 小时')
    await expect(page.getByRole('row', { name: /系统健康巡检和告警/ })).toContainText('每 15 秒')
    await noSeriousFinding(page)
  })

  await test.step('runs one now', async () => {
    await page.getByRole('button', { name: '立即执行核对新增审计日志' }).click()
    await page.getByRole('dialog').getByRole('button', { name: '立即执行' }).click()
    await expect(page.getByText('已安排执行')).toBeVisible()
    await expect(page.getByRole('row', { name: /核对新增审计日志/ })).toContainText(/成功.*核对 \d+ 条/, { timeout: 60_000 })
  })

  await test.step('reads its history', async () => {
    await page.getByRole('link', { name: '核对新增审计日志' }).click()
    await expect(page).toHaveURL(/task-runs\?task=audit\.check/)
    await page.getByRole('row', { name: /立即执行/ }).first().click()
    await expect(page.getByRole('complementary').getByText(/核对 \d+ 条，共 \d+ 条/)).toBeVisible()
  })

  await test.step('pauses a task with a reason and resumes it', async () => {
    await page.goto('/admin/system/tasks')
    const row = page.getByRole('row', { name: /清理到期的导出文件/ })
    await row.getByRole('button', { name: '暂停' }).click()
    await page.getByRole('textbox', { name: '暂停原因' }).fill('磁盘检修，暂停清理')
    await page.getByRole('dialog').getByRole('button', { name: '暂停任务' }).click()
    await expect(row).toContainText('已暂停')
    await row.getByRole('button', { name: '恢复' }).click()
    await page.getByRole('button', { name: '问题已处理，恢复执行' }).click()
    await page.getByRole('dialog').getByRole('button', { name: '恢复任务' }).click()
    await expect(row).not.toContainText('已暂停')
  })

  await test.step('sees the health of the system and what waits', async () => {
    await page.goto('/admin/system/health')
    await expect(page.getByText('数据库响应')).toBeVisible()
    await expect(page.getByText(/读写一次用时 \d+ 毫秒/)).toBeVisible()
    await expect(page.getByRole('listitem').filter({ hasText: '审计日志封印' })).toBeVisible()
    await noSeriousFinding(page)
    await page.goto('/admin/system/queues')
    await expect(page.getByRole('row', { name: /未送达的推送/ })).toBeVisible()
  })

  await test.step('makes a backup and sees it compared', async () => {
    await page.goto('/admin/system/backups')
    await page.getByRole('button', { name: '立即备份' }).click()
    await page.getByRole('dialog').getByRole('button', { name: '立即备份' }).click()
    await expect(page.getByRole('row', { name: /恢复后逐行比对一致/ })).toBeVisible({ timeout: 120_000 })
  })
  await page.context().close()
})
