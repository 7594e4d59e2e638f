import { ref, type MaybeRefOrGetter } from 'vue'
import { confirm } from '@/composables/useConfirm'
import { useDetail } from '@/composables/useDetail'
import { actOn, getPartner, type Partner } from './api'

/** One partner and what may be done with it. `secret` is a new secret until the person has put it away. */
export function usePartner(id: MaybeRefOrGetter<string | undefined>) {
  const detail = useDetail<Partner>(id, getPartner)
  const secret = ref('')

  async function pause(): Promise<boolean> {
    const p = detail.data
    if (!p) return false
    const sure = await confirm({
      title: '暂停推送',
      message: `暂停后，发生的事件会保存，但不再推送给“${p.name}”，恢复后按顺序补推。`,
      confirmText: '暂停推送',
      danger: true,
    })
    return sure && detail.run('pause', (key) => actOn(p, 'pause', key), '已暂停推送')
  }

  async function resume(): Promise<boolean> {
    const p = detail.data
    if (!p) return false
    const message = p.waiting
      ? `有 ${p.waiting >= 1000 ? '999+' : p.waiting} 件等待推送，恢复后按顺序补推。`
      : '恢复后，新发生的事件会推送给对方。'
    const sure = await confirm({ title: '恢复推送', message, confirmText: '恢复推送' })
    return sure && detail.run('resume', (key) => actOn(p, 'resume', key), '已恢复推送')
  }

  async function renewSecret(): Promise<boolean> {
    const p = detail.data
    if (!p) return false
    const sure = await confirm({
      title: '更换签名密钥',
      message: '更换后，原密钥立即停用；对方换上新密钥之前，推送会因签名不符被拒绝并自动重试。请先与对方约定时间。',
      confirmText: '更换密钥',
      danger: true,
    })
    if (!sure) return false
    return detail.run('secret', async (key) => {
      secret.value = (await actOn(p, 'secret', key)).secret ?? ''
    })
  }

  return { detail, secret, pause, resume, renewSecret }
}
