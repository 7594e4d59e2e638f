export interface TimelineItem {
  key: string | number
  /** Already written for people: "2026年11月22日 14:05". */
  time: string
  title: string
  by?: string
  note?: string
}
