import { computed, ref } from 'vue'
import type { ActionBody, Ticket, TicketRequest } from './api'
import { askFor, asks, atOnce, type StepName } from './steps'
import type { Take } from './useTicket'

/** What a step is about beside the ticket. */
export interface About {
  hopId?: number
  requestId?: number
  otherId?: number
  request?: TicketRequest
}

/** Begins a step, with its dialog when it asks for something, and takes it. */
export function useStep(ticket: () => Ticket, take: () => Take, taken: () => void) {
  const open = ref<{ step: StepName; about: About } | null>(null)
  const ask = computed(() => (open.value ? askFor(open.value.step, ticket(), open.value.about.request) : undefined))

  async function run(step: StepName, about: About, body: Record<string, unknown>, done: string): Promise<void> {
    const named: Record<string, unknown> = { ...body }
    for (const key of ['hopId', 'requestId', 'otherId'] as const) if (about[key]) named[key] = about[key]
    // The dialog gathers what its step asks for; ActionBody says the same of the server's side.
    if (!(await take()(step, named as unknown as ActionBody[typeof step], done))) return
    open.value = null
    taken()
  }

  function start(step: StepName, about: About = {}): void {
    if (atOnce[step]) void run(step, about, {}, atOnce[step])
    else open.value = { step, about }
  }

  function confirm(body: Record<string, unknown>): void {
    if (open.value) void run(open.value.step, open.value.about, body, asks[open.value.step]?.done ?? '已完成')
  }

  return { open, ask, start, confirm, close: () => (open.value = null) }
}
