/** What a view shows in place of its content; `ready` shows the content. */
export type ViewState = 'loading' | 'ready' | 'empty' | 'error' | 'notfound' | 'forbidden'
