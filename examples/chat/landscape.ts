/**
 * A picture to send in tests and screenshots: mountains in the evening, drawn pixel by pixel and written as a PNG.
 */
import { crc32, deflateSync } from 'node:zlib'

type Color = readonly [red: number, green: number, blue: number]

const SKY: ReadonlyArray<readonly [height: number, color: Color]> = [
  [0, [39, 68, 114]],
  [0.42, [224, 142, 109]],
  [0.62, [247, 217, 160]],
  [1, [247, 226, 190]],
]
const RIDGES: readonly Color[] = [
  [141, 127, 155],
  [93, 103, 135],
  [53, 80, 107],
  [28, 58, 69],
  [16, 39, 43],
]

export function drawLandscape(width: number, height: number): Buffer {
  const pixels = Buffer.alloc(3 * width * height)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) pixels.set(colorAt(x / height, y / height), 3 * (y * width + x))
  }
  return encodePng(width, height, pixels)
}

/** Three bytes a pixel, line by line, as a PNG. */
export function encodePng(width: number, height: number, pixels: Buffer): Buffer {
  // In the file each line begins with a byte that names its filter; 0 is none.
  const lines = Buffer.alloc((1 + 3 * width) * height)
  for (let y = 0; y < height; y++) pixels.copy(lines, (1 + 3 * width) * y + 1, 3 * width * y, 3 * width * (y + 1))
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  // 8 bits a colour, three colours.
  header.set([8, 2], 8)
  const signature = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1')
  return Buffer.concat([
    signature,
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(lines)),
    chunk('IEND', Buffer.alloc(0)),
  ])
}

function colorAt(x: number, y: number): Color {
  for (const [index, color] of [...RIDGES.entries()].toReversed()) {
    const wave = Math.sin((x * 4.2) / (1 - index * 0.13) + index * 2.1) * 0.07 + Math.sin(x * 15 + index * 5) * 0.02
    if (y > 0.56 + index * 0.1 - wave - Math.sin(x * 47 + index) * 0.006) return color
  }
  if (Math.hypot(x - 1.15, y - 0.5) < 0.075) return [255, 243, 214]
  const above = SKY.findLastIndex(([at]) => at <= y)
  const [from, start] = SKY[above]
  const [to, end] = SKY[Math.min(above + 1, SKY.length - 1)]
  const share = to === from ? 0 : (y - from) / (to - from)
  return [mix(start[0], end[0], share), mix(start[1], end[1], share), mix(start[2], end[2], share)]
}

function mix(start: number, end: number, share: number): number {
  return Math.round(start + (end - start) * share)
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const edges = Buffer.alloc(8)
  edges.writeUInt32BE(data.length, 0)
  edges.writeUInt32BE(crc32(body), 4)
  return Buffer.concat([edges.subarray(0, 4), body, edges.subarray(4)])
}
