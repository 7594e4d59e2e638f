import { createPinia } from 'pinia'
import { createApp } from 'vue'

import { watchParts } from './composables/useUpdated'
import AppLayout from './layouts/AppLayout.vue'
import { router } from './router'
import { useSession } from './stores/session'
import { useSettings } from './stores/settings'
import './styles/tokens.css'
import './styles/base.css'

const app = createApp(AppLayout).use(createPinia())
useSettings() // sets the type size before anything is drawn
void useSession().load()
watchParts(router, import.meta.env.BASE_URL)
app.use(router).mount('#app')

// WeChat on iOS brings back a page exactly as it was left, even when somebody signed out meanwhile.
window.addEventListener('pageshow', (event) => {
  if (event.persisted) window.location.reload()
})
