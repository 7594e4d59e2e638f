export interface ListedFile {
  id: number
  name: string
  size: number
  url: string
  state?: string
}
