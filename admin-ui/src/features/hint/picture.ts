/** The most a picture may weigh, in bytes; the server says the same. */
export const mostBytes = 300 * 1024

/** A chosen picture in base64, or what is wrong with it. */
export async function readPicture(file: File): Promise<{ content: string } | { wrong: string }> {
  if (!['image/png', 'image/jpeg'].includes(file.type)) return { wrong: '图片须为 PNG 或 JPG 格式，请更换后上传' }
  if (file.size > mostBytes) return { wrong: '图片不能超过 300 KB，请压缩后上传' }
  const bytes = new Uint8Array(await file.arrayBuffer())
  let text = ''
  for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192))
  return { content: btoa(text) }
}
