/**
 * Pictures as messages: the length of a JSON header (two bytes, big-endian), the header, the file's bytes.
 * And pictures from people: real ones only, and made smaller here when they are too large to send.
 */
const LONGEST_EDGE = 2048

/** What the server looks at too: the first bytes, not the name. */
const TYPES = [
  ['image/png', /^.PNG\r\n.\n/s],
  ['image/jpeg', /^\xff\xd8\xff/],
  ['image/gif', /^GIF8[79]a/],
  ['image/webp', /^RIFF.{4}WEBP/s],
]

export function encodePicture(header, bytes) {
  const json = new TextEncoder().encode(JSON.stringify(header))
  const message = new Uint8Array(2 + json.length + bytes.length)
  new DataView(message.buffer).setUint16(0, json.length)
  message.set(json, 2)
  message.set(bytes, 2 + json.length)
  return message
}

export function decodePicture(message) {
  const length = new DataView(message).getUint16(0)
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(message, 2, length)))
  return { header, bytes: new Uint8Array(message, 2 + length) }
}

/** The bytes of a picture file, at most `limit` of them. Throws an Error with a sentence for the person. */
export async function readPicture(file, limit) {
  const bytes = new Uint8Array(await file.arrayBuffer())
  const start = String.fromCharCode(...bytes.subarray(0, 12))
  const type = TYPES.find(([, pattern]) => pattern.test(start))?.[0]
  if (type === undefined) throw new Error('Only PNG, JPEG, GIF and WebP pictures can be sent.')
  if (bytes.length <= limit) return { bytes, type }
  if (type === 'image/gif') {
    throw new Error(`This GIF has ${megabytes(bytes.length)}: at most ${megabytes(limit)} can be sent.`)
  }
  return { bytes: await shrink(file, limit), type: 'image/jpeg' }
}

async function shrink(file, limit) {
  const bitmap = await createImageBitmap(file)
  const scale = Math.min(1, LONGEST_EDGE / Math.max(bitmap.width, bitmap.height))
  const canvas = document.createElement('canvas')
  canvas.width = Math.max(1, Math.round(bitmap.width * scale))
  canvas.height = Math.max(1, Math.round(bitmap.height * scale))
  const context = canvas.getContext('2d')
  // JPEG has no transparency: what was transparent would turn black.
  context.fillStyle = '#fff'
  context.fillRect(0, 0, canvas.width, canvas.height)
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height)
  const blob = await new Promise((resolve) => {
    canvas.toBlob(resolve, 'image/jpeg', 0.85)
  })
  if (blob === null || blob.size > limit) {
    throw new Error(`This picture is too large: at most ${megabytes(limit)} can be sent.`)
  }
  return new Uint8Array(await blob.arrayBuffer())
}

function megabytes(bytes) {
  return `${(bytes / 1024 / 1024).toFixed(bytes % (1024 * 1024) === 0 ? 0 : 1)} MB`
}

/** What a screen reader says, from the file's name. Browsers call whatever was pasted image.png. */
export function describe(file) {
  const name = file.name
    .replace(/\.\w+$/, '')
    .replace(/[_-]+/g, ' ')
    .trim()
  return name === '' || name === 'image' ? '' : name.slice(0, 120)
}
