// By which promotion channel this visitor came, as the server signed it. The cookie says so too; browsers inside apps lose it.
const place = 'huiqi-channel'
let token = ''

/** What every request carries; empty for those who came by no link. */
export function arrival(): string {
  if (token) return token
  try {
    token = sessionStorage.getItem(place) ?? ''
  } catch {
    // a browser that keeps nothing: the token lasts as long as the page
  }
  return token
}

export function keepArrival(next: string): void {
  token = next
  try {
    sessionStorage.setItem(place, next)
  } catch {
    // as above
  }
}
