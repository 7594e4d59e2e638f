import 'element-plus/es/components/message/style/css'
import 'element-plus/es/components/message-box/style/css'
import 'element-plus/es/components/loading/style/css'
import './styles/tokens.css'
import './styles/base.css'
import 'dayjs/locale/zh-cn'
import { ElLoading } from 'element-plus'
import { createPinia } from 'pinia'
import { createApp } from 'vue'
import App from './App.vue'
import { onUnauthorized } from './api/client'
import { watchParts } from './composables/useUpdated'
import { router } from './router'
import { useSession } from './stores/session'

const app = createApp(App).use(createPinia()).use(router).use(ElLoading)

onUnauthorized(() => {
  const route = router.currentRoute.value
  if (route.name === 'login') return
  useSession().clear()
  void router.push({ name: 'login', query: { return: route.fullPath, expired: '1' } })
})

watchParts(router, import.meta.env.BASE_URL)

app.mount('#app')
